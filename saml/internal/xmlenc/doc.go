// Package xmlenc decrypts the encrypted parts of SAML messages (SAML Core
// 2.2.4, 2.3.4, 2.7.3.2 and 6, XML Encryption 1.1). It only decrypts: nothing
// here can encrypt.
//
// [Read] says, before any private key is used, whether an encrypted element
// has the form and the algorithms that are accepted. [Open] then uses the keys,
// a bounded number of times, and fails in one way only: a message's author
// can't learn from it whether it was the key, the padding, the tag or the XML.
//
// Of several EncryptedKeys those that name us as Recipient are tried first,
// wherever they stand, and then those that name no recipient. At most eight are
// tried. Where no signature around the ciphertext was verified, at most two
// are: an attacker can send such a message for nothing, and each try costs a
// private-key operation. Two allow for an EncryptedKey whose hint is wrong
// or missing; a message for more recipients names them, or is signed around the
// ciphertext. How many are tried depends on the form of the message alone, so
// it tells nothing about the plaintext.
//
// Nothing is looked up outside the element, and nothing is fetched.
package xmlenc
