package xmlenc

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// Policy says what is accepted in an encrypted element.
type Policy struct {
	// Recipient is our entity ID. EncryptedKeys that name it are tried first.
	Recipient string
	// Authenticated: a verified signature covers the ciphertext, so only its signer
	// can have changed it.
	Authenticated bool
	// AllowUnauthenticatedCBC accepts CBC elsewhere too. CBC has no integrity: an
	// attacker who can send changed ciphertext repeatedly, and see how each one
	// fails, learns the plaintext.
	AllowUnauthenticatedCBC bool
	// AllowRSA15 accepts RSA 1.5 key transport.
	AllowRSA15 bool
	// Refused lists URIs of algorithms for data and keys.
	Refused []string
}

func (p *Policy) refuses(uri string) bool { return slices.Contains(p.Refused, uri) }

const (
	maxKeys                = 8 // EncryptedKeys of one element that are tried
	maxUnauthenticatedKeys = 2 // the same, where no signature was verified yet
	maxTries               = 8 // private-key operations for one element
)

// Sealed is an encrypted element of the accepted form. It is not decrypted yet.
type Sealed struct {
	block  block
	value  []byte
	keys   []wrapped // those to try, the likeliest first
	policy Policy
}

// Malleable reports whether an attacker can have changed the plaintext: CBC that no
// signature covers. Until a signature inside it is verified, all errors must be the
// same.
func (s *Sealed) Malleable() bool { return s.block.cbc && !s.policy.Authenticated }

// CBC reports whether the data is encrypted with AES-CBC.
func (s *Sealed) CBC() bool { return s.block.cbc }

// Read checks the form of an EncryptedAssertion, EncryptedID or
// EncryptedAttribute (SAML Core 2.2.4, XML Encryption 3): one EncryptedData,
// and its EncryptedKeys inside it or after it. It uses no private key.
func Read(n xmltree.Node, policy Policy) (*Sealed, error) {
	if err := refuseReferences(n); err != nil {
		return nil, err
	}
	data := n.First()
	if !data.Is(xmltree.Encryption, "EncryptedData") {
		return nil, shape(n.Local() + " must contain one EncryptedData, then EncryptedKeys")
	}
	if typ, given := data.Attr("Type"); given && typ != typeElement {
		return nil, &Error{Reason: Shape, Detail: "EncryptedData/@Type", Want: typeElement, Got: typ}
	}
	p, err := readPart(data)
	if err != nil {
		return nil, err
	}
	s := &Sealed{policy: policy, value: p.value}
	if s.block, err = readBlock(p.method, policy); err != nil {
		return nil, err
	}
	return s, s.readKeys(data, p.keyInfo)
}

// refuseReferences requires everything to be in the message. RetrievalMethod may
// refer to an EncryptedKey in it; a CipherReference or a URL would have to be
// fetched.
func refuseReferences(n xmltree.Node) error {
	var err error
	n.Walk(func(c xmltree.Node) {
		uri, _ := c.Attr("URI")
		switch {
		case c.Local() == "CipherReference":
			err = shape("CipherReference is not accepted, only CipherValue")
		case c.Local() == "RetrievalMethod" && (len(uri) < 2 || uri[0] != '#'), c.Local() == "KeyInfoReference":
			err = &Error{Reason: Shape, Detail: c.Local() + " must not refer outside the message", Want: "#ID", Got: uri}
		}
	})
	return err
}

// part is what EncryptedData and EncryptedKey have in common (EncryptedType).
type part struct {
	method, keyInfo xmltree.Node
	value           []byte
}

func readPart(n xmltree.Node) (part, error) {
	p := part{method: n.First()}
	c := p.method.Next()
	if c.Is(xmltree.Signature, "KeyInfo") {
		p.keyInfo, c = c, c.Next()
	}
	value := c.First()
	if !p.method.Is(xmltree.Encryption, "EncryptionMethod") || !c.Is(xmltree.Encryption, "CipherData") ||
		!value.Is(xmltree.Encryption, "CipherValue") || value.Next().OK() {
		return p, shape(n.Local() + " must contain EncryptionMethod, at most one KeyInfo, " +
			"and CipherData with one CipherValue, in this order")
	}
	for rest := c.Next(); rest.OK(); rest = rest.Next() {
		known := slices.Contains([]string{"EncryptionProperties", "ReferenceList", "CarriedKeyName"}, rest.Local())
		if !known || rest.NS() != xmltree.Encryption {
			return p, &Error{Reason: Shape, Detail: "unexpected element in " + n.Local(), Got: rest.Name()}
		}
	}
	var ok bool
	if p.value, ok = value.Base64(); !ok {
		return p, shape("the CipherValue of " + n.Local() + " is not valid base64")
	}
	return p, nil // an empty value fails in decryption, as every other bad one
}

func readBlock(method xmltree.Node, policy Policy) (block, error) {
	name := algorithm(method)
	b, known := blocks[name]
	switch {
	case !known || policy.refuses(name):
		const want = "AES-GCM, or AES-CBC inside a verified signature"
		return b, &Error{Reason: Algorithm, Detail: "EncryptedData", Want: want, Got: name}
	case b.cbc && !policy.Authenticated && !policy.AllowUnauthenticatedCBC:
		const detail = "EncryptedData outside any verified signature"
		return b, &Error{Reason: Algorithm, Detail: detail, Want: "AES-GCM", Got: name}
	}
	for c := method.First(); c.OK(); c = c.Next() {
		if !c.Is(xmltree.Encryption, "KeySize") || strings.TrimSpace(c.Text()) != strconv.Itoa(8*b.keyLen) {
			return b, &Error{Reason: Algorithm, Detail: "parameter of " + name, Want: "none", Got: c.Name()}
		}
	}
	return b, nil
}

// readKeys reads the EncryptedKeys to try, the likeliest first. One whose
// algorithm is not accepted may be for another recipient: it is refused only if
// there is no other.
func (s *Sealed) readKeys(data, keyInfo xmltree.Node) error {
	found, err := findKeys(data, keyInfo, s.policy.Recipient)
	if err != nil {
		return err
	}
	var refused error
	for _, k := range found {
		if len(s.keys) == maxKeys {
			break
		}
		w, err := readKey(k.node, s.policy)
		if e, ok := err.(*Error); ok && e.Reason == Algorithm {
			refused = cmp.Or(refused, err)
			continue
		}
		if err != nil {
			return err
		}
		s.keys = append(s.keys, w)
	}
	if len(s.keys) == 0 {
		return refused
	}
	if !s.policy.Authenticated {
		s.keys = s.keys[:min(len(s.keys), maxUnauthenticatedKeys)]
	}
	return nil
}

// hinted is an EncryptedKey and how likely it is for us.
type hinted struct {
	node   xmltree.Node
	likely int
}

// The likelihoods of an EncryptedKey. A RetrievalMethod that refers to it adds one.
const (
	namesAnother = 0
	namesNone    = 2
	namesUs      = 4
)

// findKeys finds the EncryptedKeys: those in EncryptedData's KeyInfo, and those
// beside it, to which a RetrievalMethod may refer by ID (SAML Core 6.1, XML
// Encryption 3.5.1 and 3.5.2). Other content of a KeyInfo is ignored. They are
// sorted by likelihood: hints decide what is tried first, never what is trusted.
// There may be more than are tried if one of them names us.
func findKeys(data, keyInfo xmltree.Node, us string) ([]hinted, error) {
	var found []hinted
	referenced := make(map[string]bool)
	for c := keyInfo.First(); c.OK(); c = c.Next() {
		switch {
		case c.Is(xmltree.Encryption, "EncryptedKey"):
			found = append(found, hinted{node: c})
		case c.Is(xmltree.Signature, "RetrievalMethod"):
			if typ, given := c.Attr("Type"); given && typ != typeKey || c.First().OK() {
				return nil, shape("RetrievalMethod must refer to an EncryptedKey, without transforms")
			}
			uri, _ := c.Attr("URI")
			referenced[uri[1:]] = true // refuseReferences has checked that it is "#ID"
		}
	}
	for c := data.Next(); c.OK(); c = c.Next() {
		if !c.Is(xmltree.Encryption, "EncryptedKey") {
			const detail = "unexpected element after EncryptedData"
			return nil, &Error{Reason: Shape, Detail: detail, Want: "EncryptedKey", Got: c.Name()}
		}
		found = append(found, hinted{node: c})
	}
	references := 0
	for i := range found {
		k := &found[i]
		switch recipient, given := k.node.Attr("Recipient"); {
		case given && recipient == us:
			k.likely = namesUs
		case !given:
			k.likely = namesNone
		}
		if id, _ := k.node.Attr("Id"); referenced[id] {
			references++
			k.likely++
		}
	}
	slices.SortStableFunc(found, func(a, b hinted) int { return cmp.Compare(b.likely, a.likely) })
	switch {
	case references < len(referenced):
		return nil, shape("RetrievalMethod refers to no EncryptedKey in or after EncryptedData")
	case len(found) == 0:
		return nil, shape("no EncryptedKey")
	case len(found) > maxKeys && found[0].likely < namesUs:
		return nil, shape("more than " + strconv.Itoa(maxKeys) + " EncryptedKeys, none of which names us as Recipient")
	}
	return found, nil
}

func algorithm(n xmltree.Node) string {
	a, _ := n.Attr("Algorithm")
	return a
}
