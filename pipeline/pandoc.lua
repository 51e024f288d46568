-- Answers requests of pipeline/pandoc.py until its input ends. Numbers are 4 bytes, little end first.
-- In: length of the header, length of the text; the header (JSON: reader, writer, options); the text.
-- Out: one byte (1 converted, 0 refused), length of the answer; the answer: the text, or why there is none.
local KEPT = {title = true, subtitle = true, author = true, date = true, lang = true, dir = true, abstract = true, keywords = true}

local function inert(doc)
  -- Writers fetch images, and files that metadata names, from disk and network. Here they find none.
  for name in pairs(doc.meta) do
    if not KEPT[name] then doc.meta[name] = nil end
  end
  return doc:walk {Image = function(image) return pandoc.Span(image.caption) end}
end

local function convert(header, text)
  local request = pandoc.json.decode(header, false)
  local doc = pandoc.read(text, request.reader, nil, {}) -- {}: no file may be read
  if request.writer ~= 'plain' then doc = inert(doc) end
  return pandoc.write(doc, request.writer, pandoc.WriterOptions(request.options))
end

while true do
  local lengths = io.read(8)
  if not lengths then break end
  local header, text = string.unpack('<I4I4', lengths)
  header, text = io.read(header) or '', text > 0 and io.read(text) or ''
  local converted, answer = pcall(convert, header, text)
  answer = tostring(answer)
  io.write(string.pack('<I1I4', converted and 1 or 0, #answer), answer)
  io.flush()
end
