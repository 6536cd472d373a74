// Package dsig verifies the signatures of SAML messages (SAML Core 5.4, XML
// Signature 1.1). It only verifies: nothing here can sign.
//
// [Profile] says, before any cryptography, whether a Signature has the one
// shape that SAML allows. [Verify] then gives back what was signed, read anew
// from the very bytes whose digest was compared, never a mere yes: values must
// be taken from that, not from the document that came in.
package dsig
