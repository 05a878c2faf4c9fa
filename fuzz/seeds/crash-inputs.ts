/** Bodies that brought down an earlier implementation of this node, each a finding of its own (DESIGN §11). */

const FLUSH = '30303030'

/** Of a fetch. */
export const UPLOAD_PACK_CRASHES = { 'a want of one letter': '3030306177616e74207830303030' }

/** After the flush of a push. */
const PACKS = {
  'a pack of no objects': '5041434b0000000200000000',
  'an object without a stream': `5041434b000000020000000131${'00'.repeat(10)}`,
  'a size of ten bytes': `5041434b0000000200000001bf${'ff'.repeat(20)}${'00'.repeat(24)}`,
  'a size of a mebibyte and nothing behind it': `5041434b0000000200000001b0808080808002${'00'.repeat(30)}`,
  'four billion objects': `5041434b00000002ffffffff${'00'.repeat(20)}`,
  'a delta by a distance of nothing': `5041434b00000002000000016000789c030000000001${'00'.repeat(20)}`,
}

export const RECEIVE_PACK_CRASHES = Object.fromEntries(
  Object.entries(PACKS).map(([name, hex]) => [name, `${FLUSH}${hex}`]),
)

export const PACK_CRASHES = PACKS
