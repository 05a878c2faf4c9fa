/** Text as HTML and XML show it. */
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escape(text: string): string {
  // What XML has no way to show at all is left out.
  return text.replaceAll(/[^\P{Cc}\t\n\r]/gu, '').replaceAll(/[&<>"']/g, (c) => ENTITIES[c] ?? c)
}

export function inSeconds(ms: number): string {
  return (ms / 1_000).toFixed(1)
}
