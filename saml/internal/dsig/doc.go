// Package dsig verifies the signatures of SAML messages (SAML Core 5.4, XML
// Signature 1.1). It only verifies: nothing here can sign.
//
// [Read] says, before any cryptography, whether a Signature has the one shape
// that SAML allows. [Envelope.Verify] then hashes the element around it and
// gives back that element: values are read from the very nodes whose canonical
// bytes went into the hash, so there is no second reading that could differ.
//
// Keys come from the caller. KeyInfo is never looked at.
package dsig
