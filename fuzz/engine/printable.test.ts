import { expect, it } from 'vitest'
import { printable } from './printable.ts'

it.each([
  { name: 'a colour', text: 'a\u001b[31mb', shown: 'a\\u{1b}[31mb' },
  { name: 'a return to where the line began', text: 'FINDING\rfine', shown: 'FINDING\\u{d}fine' },
  { name: 'a terminal command of one byte', text: '\u009b2J', shown: '\\u{9b}2J' },
  { name: 'letters that run to the left', text: 'a\u202eb', shown: 'a\\u{202e}b' },
  { name: 'half a character', text: 'a\ud800', shown: 'a\\u{d800}' },
  { name: 'no character', text: '\0\uffff', shown: '\\u{0}\\u{ffff}' },
])('$name is named, and not done', ({ text, shown }) => expect(printable(text)).toBe(shown))

it('lines, tabs and letters stay as they are', () => {
  expect(printable('Error: ä 🦊\n\tat fuzz')).toBe('Error: ä 🦊\n\tat fuzz')
})
