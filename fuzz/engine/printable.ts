/**
 * What an input made a program say, so that a terminal only shows it: a thrown text holds what is hostile, and may move the
 * cursor over the lines that tell of it. Lines and tabs stay; other control and format characters are named.
 */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{C}\n\t]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
}
