// Live news, keys, and frames that keep their place. Every page works without this; its address says all that it shows.

const $ = (selector, root = document) => root.querySelector(selector)
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)]
const PER_MM = 96 / 25.4

// --- telling

let silence
export function say(text) {
  const news = $('#news')
  news.innerHTML = ''
  const line = document.createElement('p')
  line.textContent = text
  news.append(line)
  clearTimeout(silence)
  silence = setTimeout(() => { news.innerHTML = '' }, 4000)
}

// --- frames

function sheets(frame) {
  const page = frame.contentDocument
  const holder = page?.getElementById('preview-boxes')
  if (!holder) return
  const style = page.defaultView.getComputedStyle(page.documentElement)
  const size = name => parseFloat(style.getPropertyValue(`--preview-${name}`))
  const [height, period, top, bottom] = ['height', 'period', 'top', 'bottom'].map(size)
  const told = frame.closest('.pane').querySelector('.sheets')
  if (!period) {
    told.textContent = 'This browser can not lay out sheets: open it to print, and look at the print preview.'
    return
  }
  for (const old of page.querySelectorAll('.preview-box[data-sheet]')) old.remove()
  page.documentElement.style.zoom = 1
  const count = Math.max(1, Math.ceil((page.body.offsetHeight / PER_MM - 1) / period))
  page.body.style.minHeight = `${(count - 1) * period + height - top - bottom}mm`
  for (let sheet = 0; sheet < count; sheet++) {
    for (const box of holder.children) {
      const line = box.cloneNode(true)
      line.dataset.sheet = sheet + 1
      const y = sheet * period + (box.dataset.box.startsWith('top') ? top / 2 - 2 : height - bottom / 2 - 2)
      line.style.top = `${y}mm`
      for (const counter of line.querySelectorAll('[data-counter]')) {
        counter.textContent = counter.dataset.counter === 'page' ? sheet + 1 : count
      }
      page.body.append(line)
    }
  }
  told.textContent = count === 1 ? '1 sheet' : `${count} sheets`
  frame.dataset.sheetCount = count
  fit(frame)
}

// A sheet is never wider than its frame.
function fit(frame) {
  const page = frame.contentDocument
  page.documentElement.style.zoom = 1
  page.documentElement.style.zoom = Math.min(1, frame.clientWidth / (page.body.offsetWidth + 8 * PER_MM))
}
addEventListener('resize', () => $$('iframe[data-sheet-count]').forEach(fit))

function follow(event) {
  const link = event.target.closest?.('a[href]')
  if (!link || event.defaultPrevented) return
  const address = new URL(link.href)
  const here = new URL(link.ownerDocument.location.href)
  if (address.origin === here.origin && address.pathname === here.pathname) return // a place in this page
  event.preventDefault()
  const topic = address.pathname.match(/^\/bundle\/[^/]+\/([^/]+)\/([^/]+)\/[^/]+$/)
  if (address.origin === location.origin && topic) {
    const next = new URL(location)
    next.pathname = `/topics/${topic[1]}/${topic[2]}`
    location.assign(next)
  } else if (address.protocol === 'https:' || address.protocol === 'http:') {
    say(`The link leads to ${address.href}. The preview does not follow it.`)
  }
}

function ready(frame) {
  const inside = frame.contentDocument
  if (!inside || inside.URL === 'about:blank') return
  inside.addEventListener('keydown', keys)
  inside.addEventListener('click', follow)
  if ('sheets' in frame.dataset) sheets(frame)
  frame.dataset.ready = 'yes'
}

function watch(root = document) {
  for (const frame of $$('iframe[data-frame]', root)) {
    if (frame.dataset.watched) continue
    frame.dataset.watched = 'yes'
    frame.addEventListener('load', () => ready(frame))
    if (frame.contentDocument?.readyState === 'complete') ready(frame)
  }
  for (const source of $$('.source', root)) $('.marked', source)?.scrollIntoView({ block: 'center', inline: 'nearest' })
}

// A frame gets its next content beside it, and is shown when that is there, at the same place.
function swap(frame, address) {
  for (const late of $$('iframe.coming', frame.parentNode)) late.remove()
  const next = frame.cloneNode()
  delete next.dataset.ready
  delete next.dataset.watched
  next.classList.add('coming')
  next.addEventListener('load', () => {
    if ('frame' in next.dataset) ready(next)
    const from = frame.contentWindow, to = next.contentWindow
    try { to.scrollTo({ left: from.scrollX, top: from.scrollY, behavior: 'instant' }) } catch { /* a reader keeps its own place */ }
    next.classList.remove('coming')
    next.dataset.watched = 'yes'
    if ('frame' in next.dataset) next.addEventListener('load', () => ready(next))
    frame.remove()
  }, { once: true })
  next.src = address
  frame.after(next)
}

// --- news

function keep(now, next) {
  const frame = $('iframe:not(.coming)', now), newest = $('iframe.coming', now) ?? frame, coming = $('iframe', next)
  if (frame && coming && now.dataset.view === next.dataset.view) {
    now.className = next.className
    if (newest.getAttribute('src') !== coming.getAttribute('src')) swap(frame, coming.getAttribute('src'))
    return
  }
  const scrolled = $$('.source, pre, .findings, .prose', now).map(one => [one.scrollLeft, one.scrollTop])
  const same = now.dataset.view === next.dataset.view && $('.source', now)?.dataset.line === $('.source', next)?.dataset.line
  now.replaceWith(next)
  watch(next)
  if (same) $$('.source, pre, .findings, .prose', next).forEach((one, i) => scrolled[i] && one.scrollTo(...scrolled[i]))
}

function merge(page) {
  const now = $('#screen'), next = $('#screen', page)
  if (!next) return
  document.title = page.title
  document.body.className = page.body.className
  const focus = mark(document.activeElement)
  const rooms = $('.rooms', page)
  if (rooms) $('.rooms').replaceWith(rooms)
  const stage = $('.stage', now), coming = $('.stage', next)
  if (stage && coming && stage.children.length === coming.children.length) {
    const comers = [...coming.children]
    ;[...stage.children].forEach((pane, i) => keep(pane, comers[i]))
    coming.replaceWith(stage.parentNode === now ? document.createComment('stage') : stage)
    for (const child of [...now.children]) if (child !== stage) child.remove()
    let before = true
    for (const child of [...next.childNodes]) {
      if (child.nodeType === Node.COMMENT_NODE && child.data === 'stage') before = false
      else if (before) stage.before(child)
      else now.append(child)
    }
  } else {
    const typing = document.activeElement
    const form = typing?.matches?.('input, select, textarea') ? typing.closest('form') : null
    const twin = form && [...next.children].find(child => child.className === form.className)
    if (form && twin && form.parentNode === now) {
      twin.replaceWith(document.createComment('form'))
      for (const child of [...now.children]) if (child !== form) child.remove()
      let before = true
      for (const child of [...next.childNodes]) {
        if (child.nodeType === Node.COMMENT_NODE && child.data === 'form') before = false
        else if (before) form.before(child)
        else now.append(child)
      }
    } else {
      now.replaceChildren(...next.childNodes)
    }
    watch(now)
  }
  now.dataset.number = next.dataset.number
  if (document.activeElement === document.body || !document.activeElement?.isConnected) focus?.()
}

// How to find what has the focus again, on a page that says the same anew.
function mark(element) {
  if (!element || element === document.body || element.isConnected === false) return null
  const find = element.id ? () => document.getElementById(element.id)
    : element.name ? () => $$(`[name="${CSS.escape(element.name)}"]`).find(one => one.type !== 'hidden')
    : element.dataset.key ? () => $(`[data-key="${element.dataset.key}"]`)
    : element.getAttribute('href') ? () => $(`a[href="${CSS.escape(element.getAttribute('href'))}"]`) : () => null
  return () => find()?.focus({ preventScroll: true })
}

let asked = 0, ahead = '' // the address of a page that somebody asked for and that is not here yet
async function show(address, push = false) {
  const mine = ++asked
  ahead = push ? address : ''
  let text
  try {
    text = await (await fetch(address, { headers: { accept: 'text/html' } })).text()
  } catch {
    return // the page is being left, or the preview was stopped: that is told elsewhere
  }
  if (mine !== asked) return
  ahead = ''
  if (push && address !== location.href) history.pushState(null, '', address)
  merge(new DOMParser().parseFromString(text, 'text/html'))
}

let waiting = false, again = false
async function refresh(told) {
  if (waiting) { again = true; return }
  waiting = true
  const before = $('#screen').dataset.number
  await show(ahead || location.href, ahead !== '') // news must not take back where somebody is on the way to
  waiting = false
  if (again) { again = false; refresh(told) }
  if (told && $('#screen').dataset.number !== before) say($('.banner.bad') ? 'Saved, and it can not be shown' : 'Up to date')
}

function listen() {
  const events = new EventSource('/events')
  let lost = false
  events.addEventListener('hello', () => { if (lost) refresh(true); lost = false })
  events.addEventListener('pages', () => refresh(true))
  events.addEventListener('check', () => { if ($('.summary') || $('.releases')) refresh(false) })
  events.addEventListener('live', () => { if ($('#live-title') || $('.kind-live')) refresh(false) })
  events.addEventListener('packing', () => { if ($('#bundle-title')) refresh(false) })
  events.addEventListener('packed', async () => {
    if ($('#bundle-title')) await refresh(false)
    if ($('#packed a')) say('The bundle is ready')
  })
  events.addEventListener('error', () => { if (!lost) say('The preview was stopped. What you see is from before.'); lost = true })
  addEventListener('pagehide', () => events.close())
}

// --- forms and links in place

function asAddress(form) {
  const address = new URL(form.action)
  address.search = ''
  for (const [name, value] of new FormData(form)) if (value) address.searchParams.set(name, value)
  return address.href
}

let typed
function forms() {
  document.addEventListener('change', event => {
    const form = event.target.closest('form[data-auto]')
    if (form && event.target.type !== 'search') show(asAddress(form), true)
  })
  document.addEventListener('input', event => {
    if (event.target.id !== 'search') return
    clearTimeout(typed)
    typed = setTimeout(() => {
      const address = asAddress(event.target.form)
      history.replaceState(null, '', address)
      show(address)
    }, 80)
  })
  document.addEventListener('click', event => {
    const link = event.target.closest('.tabs a, .pane a, .banner a')
    if (!link || link.target || link.download || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return
    const address = new URL(link.href)
    if (address.origin !== location.origin || address.pathname !== location.pathname) return
    event.preventDefault()
    show(address.href, true)
  })
  addEventListener('popstate', () => show(location.href))
}

// --- keys

const keysOn = () => localStorage.getItem('keys') !== 'off'

function step(by) {
  const link = $(by > 0 ? '#after' : '#before')
  if (link) return link.click()
  const rows = $$('.topics th a')
  const at = rows.indexOf(document.activeElement)
  rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))]?.focus()
}

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !keysOn() || $('#help').open) return
  if (event.target.closest?.('input, select, textarea')) return
  const acts = {
    '/': () => { const search = $('#search'); search ? (search.focus(), search.select()) : $('#up')?.click() },
    j: () => step(1),
    k: () => step(-1),
    u: () => $('#up')?.click(),
    p: () => $('#beside-problems')?.click(),
    '?': help,
  }
  const act = acts[event.key] ?? (/^[1-9]$/.test(event.key) ? () => $(`.tabs [data-key="${event.key}"]`)?.click() : null)
  if (!act) return
  event.preventDefault()
  act()
}

function help() {
  $('#keys-on').checked = keysOn()
  $('#help').showModal()
}

// --- colours

const THEMES = { '': 'as the system', light: 'light', dark: 'dark' }
function theme() {
  const names = Object.keys(THEMES)
  const show = name => {
    if (name) document.documentElement.dataset.theme = name
    else delete document.documentElement.dataset.theme
    $('#theme').setAttribute('aria-label', `Colours: ${THEMES[name]}`)
  }
  show(localStorage.getItem('theme') ?? '')
  $('#theme').addEventListener('click', () => {
    const next = names[(names.indexOf(localStorage.getItem('theme') ?? '') + 1) % names.length]
    localStorage.setItem('theme', next)
    show(next)
    say(`Colours: ${THEMES[next]}`)
  })
}

document.documentElement.classList.add('scripted')
theme()
forms()
watch()
listen()
document.addEventListener('keydown', keys)
$('#help-open').addEventListener('click', help)
$('#keys-on').addEventListener('change', event => localStorage.setItem('keys', event.target.checked ? 'on' : 'off'))
