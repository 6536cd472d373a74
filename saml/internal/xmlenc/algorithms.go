package xmlenc

import (
	"crypto"
	_ "crypto/sha1" // registers the hashes
	_ "crypto/sha256"
	_ "crypto/sha512"
)

// Identifiers (XML Encryption 1.1, 5.1).
const (
	base    = "http://www.w3.org/2001/04/xmlenc#"
	base11  = "http://www.w3.org/2009/xmlenc11#"
	sigBase = "http://www.w3.org/2000/09/xmldsig#"
	sigMore = "http://www.w3.org/2001/04/xmldsig-more#"

	typeElement = base + "Element"
	typeKey     = base + "EncryptedKey"

	oaepMGF1P = base + "rsa-oaep-mgf1p"
	oaep      = base11 + "rsa-oaep"
	rsa15     = base + "rsa-1_5"
)

// Offered lists the algorithms for metadata (Metadata 2.4.1.1), in order of
// preference: those that are always accepted.
func Offered() []string {
	return []string{
		base11 + "aes256-gcm", base11 + "aes192-gcm", base11 + "aes128-gcm",
		oaep, oaepMGF1P,
	}
}

// Supports reports whether uri names an algorithm of this package for data or keys.
func Supports(uri string) bool {
	_, data := blocks[uri]
	return data || uri == oaep || uri == oaepMGF1P || uri == rsa15
}

// block is AES in one mode, GCM or CBC.
type block struct {
	keyLen int // bytes
	cbc    bool
}

var blocks = map[string]block{
	base11 + "aes128-gcm": {16, false},
	base11 + "aes192-gcm": {24, false},
	base11 + "aes256-gcm": {32, false},

	base + "aes128-cbc": {16, true},
	base + "aes192-cbc": {24, true},
	base + "aes256-cbc": {32, true},
}

// digests are the hashes of RSA-OAEP. SHA-384 has one name in XML Encryption 1.1
// (5.8) and another in XML Signature.
var digests = map[string]crypto.Hash{
	sigBase + "sha1":   crypto.SHA1,
	base + "sha256":    crypto.SHA256,
	base + "sha384":    crypto.SHA384,
	sigMore + "sha384": crypto.SHA384,
	base + "sha512":    crypto.SHA512,
}

var masks = map[string]crypto.Hash{
	base11 + "mgf1sha1":   crypto.SHA1,
	base11 + "mgf1sha256": crypto.SHA256,
	base11 + "mgf1sha384": crypto.SHA384,
	base11 + "mgf1sha512": crypto.SHA512,
}
