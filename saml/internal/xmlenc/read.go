package xmlenc

import (
	"cmp"
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
	// so only its signer can have changed it.
	Authenticated bool
	// AllowUnauthenticatedCBC accepts CBC elsewhere too. CBC has no integrity of
	// its own: an attacker who can send changed ciphertext again and again, and
	// see how each one fails, learns the plaintext.
	AllowUnauthenticatedCBC bool
	// AllowRSA15 accepts RSA 1.5 key transport.
	AllowRSA15 bool
}

const (
	// maxKeys bounds the EncryptedKeys of one element that are tried.
	maxKeys = 8
	// maxUnauthenticatedKeys bounds them where no signature was verified yet.
	maxUnauthenticatedKeys = 2
	// maxTries bounds the private-key operations for one element.
	maxTries = 8
)

// Sealed is an encrypted element of the right form. Nothing was decrypted yet.
type Sealed struct {
	block  block
	value  []byte
	keys   []wrapped // those to try, the likeliest first
	policy Policy
}

// Malleable reports whether an attacker can have changed what it decrypts to:
// CBC that no signature covers. Until a signature inside it is verified, its
// errors must all look the same.
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

// refuseReferences wants everything to be in the message. RetrievalMethod may
// point at an EncryptedKey beside it; a CipherReference or an address would have
// to be fetched.
func refuseReferences(n xmltree.Node) error {
	var err error
	n.Walk(func(c xmltree.Node) {
		uri, _ := c.Attr("URI")
		switch {
		case c.Local() == "CipherReference":
			err = shape("a CipherReference; CipherData holds a CipherValue")
		case c.Local() == "RetrievalMethod" && (len(uri) < 2 || uri[0] != '#'), c.Local() == "KeyInfoReference":
			err = &Error{Reason: Shape, Detail: c.Local() + " to somewhere else", Want: "#ID", Got: uri}
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
			return p, &Error{Reason: Shape, Detail: "unexpected element in " + n.Local(), Got: rest.Name()}
		}
	}
	var ok bool
	if p.value, ok = value.Base64(); !ok {
		return p, shape("the CipherValue of " + n.Local() + " is not base64")
	}
	return p, nil
}

func readBlock(method xmltree.Node, policy Policy) (block, error) {
	name := algorithm(method)
	b, known := blocks[name]
	switch {
	case !known:
		return b, &Error{Reason: Algorithm, Detail: "EncryptedData", Want: "AES-GCM, or AES-CBC inside a verified signature", Got: name}
	case b.cbc && !policy.Authenticated && !policy.AllowUnauthenticatedCBC:
		return b, &Error{Reason: Algorithm, Detail: "EncryptedData outside any verified signature", Want: "AES-GCM", Got: name}
	}
	for c := method.First(); c.OK(); c = c.Next() {
		if !c.Is(xmltree.Encryption, "KeySize") || strings.TrimSpace(c.Text()) != strconv.Itoa(8*b.keyLen) {
			return b, &Error{Reason: Algorithm, Detail: "a parameter of " + name, Want: "none", Got: c.Name()}
		}
	}
	return b, nil
}

// readKeys reads the EncryptedKeys to try, the likeliest first. One whose
// algorithm is not accepted may be for another recipient; it is refused only if
// there is no other.
func (s *Sealed) readKeys(data, keyInfo xmltree.Node) error {
	found, err := gatherKeys(data, keyInfo, s.policy.Recipient)
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

// gatherKeys finds the EncryptedKeys: those in EncryptedData's KeyInfo, and
// those beside it, which a RetrievalMethod may single out by their IDs (SAML
// Core 6.1, XML Encryption 3.5.1 and 3.5.2). Everything else in a KeyInfo is
// passed over. Those that are likely for us come first. There may be more than
// are tried if one of them names us.
func gatherKeys(data, keyInfo xmltree.Node, us string) ([]hinted, error) {
	var found []hinted
	referenced := make(map[string]bool)
	for c := keyInfo.First(); c.OK(); c = c.Next() {
		switch {
		case c.Is(xmltree.Encryption, "EncryptedKey"):
			found = append(found, hinted{node: c})
		case c.Is(xmltree.Signature, "RetrievalMethod"):
			if typ, given := c.Attr("Type"); given && typ != typeKey || c.First().OK() {
				return nil, shape("RetrievalMethod refers to something other than an EncryptedKey, or has transforms")
			}
			uri, _ := c.Attr("URI")
			referenced[uri[1:]] = true // refuseReferences has seen to it that it is "#ID"
		}
	}
	for c := data.Next(); c.OK(); c = c.Next() {
		if !c.Is(xmltree.Encryption, "EncryptedKey") {
			return nil, &Error{Reason: Shape, Detail: "unexpected element after EncryptedData", Want: "EncryptedKey", Got: c.Name()}
		}
		found = append(found, hinted{node: c})
	}
	references := 0
	for i := range found {
		id, _ := found[i].node.Attr("Id")
		if referenced[id] {
			references++
		}
		found[i].likely = likeliness(found[i].node, us, referenced[id])
	}
	slices.SortStableFunc(found, func(a, b hinted) int { return cmp.Compare(b.likely, a.likely) })
	switch {
	case references < len(referenced):
		return nil, shape("RetrievalMethod refers to no EncryptedKey beside EncryptedData")
	case len(found) == 0:
		return nil, shape("no EncryptedKey")
	case len(found) > maxKeys && found[0].likely < namesUs:
		return nil, shape("more than " + strconv.Itoa(maxKeys) + " EncryptedKeys, none of which names us as Recipient")
	}
	return found, nil
}

// How likely an EncryptedKey is for us. That a RetrievalMethod refers to it adds
// one.
const (
	namesAnother = 0
	namesNone    = 2
	namesUs      = 4
)

// likeliness orders EncryptedKeys by their hints (XML Encryption 3.5.1,
// Recipient). A hint decides what is tried first, never what is trusted.
func likeliness(n xmltree.Node, us string, referenced bool) int {
	likely := namesAnother
	switch recipient, given := n.Attr("Recipient"); {
	case given && recipient == us:
		likely = namesUs
	case !given:
		likely = namesNone
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
