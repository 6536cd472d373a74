package xmlenc

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// Policy says what is accepted where an encrypted element stands.
type Policy struct {
	// Recipient is our entity ID. EncryptedKeys that name it are tried first.
	Recipient string
	// Authenticated: the ciphertext stands inside a signature that was verified,
	// so nobody but its signer can have changed it.
	Authenticated bool
	// AllowUnauthenticatedCBC accepts CBC elsewhere too. CBC has no integrity of
	// its own: who can send changed ciphertext again and again, and see how each
	// one fails, reads the plaintext.
	AllowUnauthenticatedCBC bool
	// AllowRSA15 accepts RSA 1.5 key transport.
	AllowRSA15 bool
}

const (
	// maxKeys bounds the EncryptedKeys of one element.
	maxKeys = 8
	// maxTries bounds the private-key operations for one element.
	maxTries = 8
)

// Sealed is an encrypted element of the right form. Nothing was decrypted yet.
type Sealed struct {
	block  block
	value  []byte
	keys   []wrapped // the likeliest first
	policy Policy
}

// Malleable reports whether somebody other than the signer can have changed
// what it decrypts to: CBC that no signature covers. Until something inside it
// proves otherwise, its errors must all look the same.
func (s *Sealed) Malleable() bool { return s.block.cbc && !s.policy.Authenticated }

// Read checks the form of an EncryptedAssertion, EncryptedID or
// EncryptedAttribute (SAML Core 2.2.4, XML Encryption 3): one EncryptedData,
// and its EncryptedKeys inside it or after it. No private key is used.
func Read(n xmltree.Node, policy Policy) (*Sealed, error) {
	if err := refuseReferences(n); err != nil {
		return nil, err
	}
	data := n.First()
	if !data.Is(xmltree.Encryption, "EncryptedData") {
		return nil, shape(n.Local() + " holds one EncryptedData, then EncryptedKeys")
	}
	if typ, given := data.Attr("Type"); given && typ != typeElement {
		return nil, &Error{Kind: Shape, Detail: "EncryptedData/@Type", Want: typeElement, Got: typ}
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

// refuseReferences wants everything to be in the message. RetrievalMethod may
// point at an EncryptedKey beside it; a CipherReference, or an address, is for
// somebody who fetches things.
func refuseReferences(n xmltree.Node) error {
	var err error
	n.Walk(func(c xmltree.Node) {
		uri, _ := c.Attr("URI")
		switch {
		case c.Local() == "CipherReference":
			err = shape("a CipherReference; CipherData holds a CipherValue")
		case c.Local() == "RetrievalMethod" && (len(uri) < 2 || uri[0] != '#'), c.Local() == "KeyInfoReference":
			err = &Error{Kind: Shape, Detail: c.Local() + " to somewhere else", Want: "#ID", Got: uri}
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
	if !p.method.Is(xmltree.Encryption, "EncryptionMethod") {
		return p, shape(n.Local() + " begins with an EncryptionMethod")
	}
	c := p.method.Next()
	if c.Is(xmltree.Signature, "KeyInfo") {
		p.keyInfo, c = c, c.Next()
	}
	value := c.First()
	if !c.Is(xmltree.Encryption, "CipherData") || !value.Is(xmltree.Encryption, "CipherValue") || value.Next().OK() {
		return p, shape(n.Local() + " holds EncryptionMethod, at most one KeyInfo, and CipherData with one CipherValue, in this order")
	}
	for rest := c.Next(); rest.OK(); rest = rest.Next() {
		switch {
		case rest.Is(xmltree.Encryption, "EncryptionProperties"), rest.Is(xmltree.Encryption, "ReferenceList"), rest.Is(xmltree.Encryption, "CarriedKeyName"):
		default:
			return p, shape(n.Local() + " holds something that XML Encryption doesn't have there")
		}
	}
	var ok bool
	if p.value, ok = decode(value); !ok {
		return p, shape("the CipherValue of " + n.Local() + " is not base64")
	}
	return p, nil
}

func readBlock(method xmltree.Node, policy Policy) (block, error) {
	name := algorithm(method)
	b, known := blocks[name]
	switch {
	case !known:
		return b, &Error{Kind: Algorithm, Detail: "EncryptedData", Want: "AES-GCM, or AES-CBC inside a signature that holds", Got: name}
	case b.cbc && !policy.Authenticated && !policy.AllowUnauthenticatedCBC:
		return b, &Error{Kind: Algorithm, Detail: "EncryptedData, with no signature around it that holds", Want: "AES-GCM", Got: name}
	}
	for c := method.First(); c.OK(); c = c.Next() {
		if !c.Is(xmltree.Encryption, "KeySize") || strings.TrimSpace(c.Text()) != strconv.Itoa(8*b.keyLen) {
			return b, &Error{Kind: Algorithm, Detail: "a parameter of " + name, Want: "none", Got: c.Name()}
		}
	}
	return b, nil
}

// readKeys reads the EncryptedKeys. One whose algorithm is not accepted may be
// for somebody else; it is refused only if there is no other.
func (s *Sealed) readKeys(data, keyInfo xmltree.Node) error {
	nodes, referenced, err := gatherKeys(data, keyInfo)
	if err != nil {
		return err
	}
	var refused error
	for _, n := range nodes {
		w, err := readKey(n, s.policy)
		if e, ok := err.(*Error); ok && e.Kind == Algorithm {
			refused = cmp.Or(refused, err)
			continue
		}
		if err != nil {
			return err
		}
		id, _ := n.Attr("Id")
		w.likely = likeliness(n, s.policy.Recipient, referenced[id])
		s.keys = append(s.keys, w)
	}
	if len(s.keys) == 0 {
		return refused
	}
	slices.SortStableFunc(s.keys, func(a, b wrapped) int { return cmp.Compare(b.likely, a.likely) })
	return nil
}

// gatherKeys finds the EncryptedKeys: those in EncryptedData's KeyInfo, and
// those beside it, which a RetrievalMethod may single out by their IDs (SAML
// Core 6.1, XML Encryption 3.5.1 and 3.5.2). Everything else in a KeyInfo is
// passed over.
func gatherKeys(data, keyInfo xmltree.Node) (nodes []xmltree.Node, referenced map[string]bool, err error) {
	referenced = make(map[string]bool)
	for c := keyInfo.First(); c.OK(); c = c.Next() {
		switch {
		case c.Is(xmltree.Encryption, "EncryptedKey"):
			nodes = append(nodes, c)
		case c.Is(xmltree.Signature, "RetrievalMethod"):
			if typ, given := c.Attr("Type"); given && typ != typeKey || c.First().OK() {
				return nil, nil, shape("a RetrievalMethod to something other than an EncryptedKey, or with transforms")
			}
			uri, _ := c.Attr("URI")
			referenced[uri[1:]] = true // refuseReferences has seen to it that it is "#ID"
		}
	}
	for c := data.Next(); c.OK(); c = c.Next() {
		if !c.Is(xmltree.Encryption, "EncryptedKey") {
			return nil, nil, shape("something other than EncryptedKeys after EncryptedData")
		}
		nodes = append(nodes, c)
	}
	found := 0
	for _, n := range nodes {
		if id, _ := n.Attr("Id"); referenced[id] {
			found++
		}
	}
	switch {
	case found < len(referenced):
		return nil, nil, shape("a RetrievalMethod to an EncryptedKey that is not beside EncryptedData")
	case len(nodes) == 0:
		return nil, nil, shape("no EncryptedKey")
	case len(nodes) > maxKeys:
		return nil, nil, shape("more than " + strconv.Itoa(maxKeys) + " EncryptedKeys")
	}
	return nodes, referenced, nil
}

// likeliness orders EncryptedKeys by their hints (XML Encryption 3.5.1,
// Recipient). A hint decides what is tried first, never what is trusted.
func likeliness(n xmltree.Node, us string, referenced bool) int {
	likely := 0
	switch recipient, given := n.Attr("Recipient"); {
	case given && recipient == us:
		likely = 4
	case !given:
		likely = 2
	}
	if referenced {
		likely++
	}
	return likely
}

func algorithm(n xmltree.Node) string {
	a, _ := n.Attr("Algorithm")
	return a
}

// decode wants text alone, of canonical base64 but for what XML calls white
// space.
func decode(n xmltree.Node) ([]byte, bool) {
	text := n.Text()
	if n.First().OK() {
		return nil, false
	}
	if strings.ContainsAny(text, " \t\r\n") {
		text = strings.Map(func(r rune) rune {
			if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
				return -1
			}
			return r
		}, text)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	return b, err == nil // an empty one fails where every other bad one does
}
