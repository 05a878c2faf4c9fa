/** Where protocols and logs write an object id and there is no object. */
export const NO_OID = '0'.repeat(40)
