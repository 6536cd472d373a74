// Package xmlenc decrypts the encrypted parts of SAML messages (SAML Core 2.2.4,
// 2.3.4, 2.7.3.2 and 6, XML Encryption 1.1). It can't encrypt.
//
// [Read] checks the form and the algorithms of an encrypted element before any
// private key is used. [Open] then uses the keys, a bounded number of times, and
// fails in one way only: its error doesn't reveal whether the key, the padding, the
// tag or the XML was wrong.
//
// At most eight EncryptedKeys are tried: first those that name us as Recipient,
// then those that name no recipient. Where no verified signature covers the
// ciphertext, at most two are tried, because an attacker can send such messages and
// each try costs a private-key operation. Two allow for one EncryptedKey with a
// wrong or missing hint; a message for more recipients names them, or is signed
// around the ciphertext. How many are tried depends on the form of the message
// alone, so it reveals nothing about the plaintext.
//
// References out of the message are refused; nothing is fetched.
package xmlenc
