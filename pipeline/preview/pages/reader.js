// The e-book in a real reader (foliate-js). The page's policy is the sandbox: no script of a book runs, and none asks another host.
import '/library/foliate-js/view.js'

const $ = selector => document.querySelector(selector)
const address = new URLSearchParams(location.search).get('book') ?? ''

async function open() {
  if (!address.startsWith('/bundle/')) throw new Error('no e-book of this preview')
  const answer = await fetch(address)
  if (!answer.ok) throw new Error('the e-book is not there any more')
  const file = new File([await answer.blob()], 'book.epub', { type: 'application/epub+zip' })
  const view = document.createElement('foliate-view')
  $('#state').remove()
  $('#book').append(view)
  await view.open(file)
  view.addEventListener('relocate', ({ detail }) => told(view, detail))
  view.addEventListener('load', ({ detail }) => detail.doc.addEventListener('keydown', event => turn(view, event)))
  view.addEventListener('external-link', event => event.preventDefault())
  const theme = document.documentElement.dataset.theme
  view.renderer.setStyles?.(`html { color-scheme: ${theme ?? 'light dark'}; } a:any-link { color: light-dark(#1f5c99, #8ec1f5); }`)
  chapters(view)
  $('#back').addEventListener('click', () => view.prev())
  $('#forth').addEventListener('click', () => view.next())
  document.addEventListener('keydown', event => turn(view, event))
  for (const button of [$('#back'), $('#forth')]) button.disabled = false
  await view.renderer.next()
}

function chapters(view) {
  const entries = (items, depth) => items.flatMap(item => [[item, depth], ...entries(item.subitems ?? [], depth + 1)])
  for (const [item, depth] of entries(view.book.toc ?? [], 0)) {
    $('#chapters').append(new Option(`${'\u2003'.repeat(depth)}${item.label.trim()}`, item.href))
  }
  $('#chapters').addEventListener('change', event => view.goTo(event.target.value))
}

function told(view, { fraction, tocItem, section }) {
  const last = view.renderer.atEnd && (section?.current ?? 0) >= (section?.total ?? 1) - 1
  $('#place').textContent = last ? 'Last page' : `${Math.round(100 * fraction)} %`
  document.documentElement.dataset.end = last ? 'yes' : 'no'
  if (tocItem) $('#chapters').value = tocItem.href
}

function turn(view, event) {
  if (event.target.closest?.('select, button')) return
  const right = event.key === 'ArrowRight' || event.key === 'PageDown'
  const left = event.key === 'ArrowLeft' || event.key === 'PageUp'
  if (!right && !left) return
  event.preventDefault()
  const forward = view.book.dir === 'rtl' && event.key.startsWith('Arrow') ? left : right
  forward ? view.next() : view.prev()
}

open().catch(problem => {
  const line = document.createElement('p')
  line.id = 'state'
  line.textContent = `The reader can not open this e-book: ${problem.message}`
  $('#book').replaceChildren(line)
  document.documentElement.dataset.end = 'failed'
})
