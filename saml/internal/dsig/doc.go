// Package dsig verifies the signatures of SAML messages (SAML Core 5.4, XML
// Signature 1.1). It can't sign.
//
// [Read] checks, before any cryptography, that a Signature has the one form that
// SAML allows. [Envelope.Verify] then hashes the element around it and returns that
// element: values are read from the nodes whose canonical form was hashed, so no
// second parse can differ.
//
// The caller gives the keys. KeyInfo is never read.
package dsig
