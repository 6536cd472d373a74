package attack

import (
	"crypto"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// ArtifactCase is one hostile message of the HTTP-Artifact binding (SAML Bindings 3.6): a row of the catalogue or a
// variant of one. It is the artifact that a browser brings, or the answer of the identity provider to the
// ArtifactResolve that a good artifact leads to.
type ArtifactCase struct {
	// ID, Name, Description and Reference are as in [Case].
	ID, Name, Description, Reference string
	// Brought: the case is an artifact. It must be refused before anything is sent. Otherwise the case is an answer.
	Brought bool
	// Outcome is the expected outcome. An accepted answer signs Params.Subject in.
	Outcome Outcome
	// Needs is as in [Case]. Of Sign the first is used, for the Response in the answer. Empty: Params.Sign.
	Needs Needs

	changes
}

// Row returns the ID of the row that c shows.
func (c ArtifactCase) Row() string {
	row, _, _ := strings.Cut(c.ID, "/")
	return row
}

// ArtifactParams fills in an artifact and its answer.
type ArtifactParams struct {
	Params
	// Index is that of the identity provider's ArtifactResolutionService in its metadata (Metadata 2.2.3).
	Index uint16
	// SignAround signs the ArtifactResponse in every case that signs anything, too.
	SignAround bool
	// ResolveID is the ID of the ArtifactResolve that an answer answers. Required unless c.Brought.
	ResolveID string
}

// ArtifactMessage is an artifact or an answer as it is sent.
type ArtifactMessage struct {
	// Artifact is the parameter SAMLart. It is a good one if the case is an answer.
	Artifact string
	// Envelope is the SOAP envelope of the answer. It is nil if the case is an artifact.
	Envelope []byte
}

// ArtifactCases lists the artifacts and answers in the order of the catalogue. They share slices, which must not be
// changed.
func ArtifactCases() []ArtifactCase { return slices.Clone(read().artifacts) }

// Make makes the hostile message.
func (c ArtifactCase) Make(p ArtifactParams) (ArtifactMessage, error) {
	return c.make(p, c.base, c.attack)
}

// Twin makes the same message without the attack. A service provider must take the artifact, and accept the answer.
func (c ArtifactCase) Twin(p ArtifactParams) (ArtifactMessage, error) { return c.make(p, c.base) }

// PlainTwin reports whether the twin is a plain good message.
func (c ArtifactCase) PlainTwin() bool {
	return len(c.Needs.Sign) == 0 && !c.Needs.Encrypted &&
		!slices.ContainsFunc(c.base[:], func(steps []func(*draft)) bool { return steps != nil })
}

func (c ArtifactCase) make(p ArtifactParams, changes ...change) (ArtifactMessage, error) {
	if len(c.Needs.Sign) > 0 {
		p.Sign = c.Needs.Sign[0]
	}
	if !c.Needs.Encrypted {
		p.EncryptTo = nil
	}
	d, err := newDraft(p.Params, c.Needs, changes)
	if err == nil && p.ResolveID == "" && !c.Brought {
		err = errors.New("missing ResolveID")
	}
	if err != nil {
		return ArtifactMessage{}, &Error{Rule: c.ID, Detail: "parameters", Err: err}
	}
	d.artifact = &artifactDraft{
		ArtifactParams: p, kind: artifactType, source: p.Issuer, size: artifactSize, key: p.Key,
	}
	m := d.makeArtifact(c.Brought)
	if d.err != nil {
		return ArtifactMessage{}, &Error{Rule: c.ID, Detail: "making it", Err: d.err}
	}
	return m, nil
}

func (c *ArtifactCase) set(name string, args []string) bool {
	switch name {
	case "brought":
		c.Brought = true
	case "only":
		c.Needs.Sign = []Sign{signCalled(args[0])}
	case "encrypted":
		c.Needs.Encrypted = true
	case "sp":
		c.Needs.SP.set(args)
	default:
		return false
	}
	return true
}

// An artifact of type 4 has a type, an index, the SHA-1 of an entity ID and a handle (Bindings 3.6.4.2).
const (
	artifactType = 4
	artifactSize = 44 // octets
)

// artifactDraft is what a draft of an artifact or of an answer has beside a Response. ArtifactParams has the issuer of
// the ArtifactResponse, even if another identity provider makes the Response.
type artifactDraft struct {
	ArtifactParams

	// The setup stage may change these.
	kind    uint16
	source  string // the entity ID
	size    int    // octets are cut off or added at the end
	outside bool   // the ArtifactResponse is signed
	key     crypto.Signer
}

// makeArtifact makes a good artifact or answer and runs the steps.
func (d *draft) makeArtifact(brought bool) ArtifactMessage {
	d.run(setup)
	d.text = encode(d.artifactOctets())
	if brought {
		d.run(posted)
		return ArtifactMessage{Artifact: d.text}
	}
	out := ArtifactMessage{Artifact: d.text}
	d.build()
	d.run(before)
	d.signAll()
	d.run(after)
	d.buildArtifactResponse()
	d.run(around)
	if d.artifact.outside || d.artifact.SignAround && !d.unsigned {
		d.sign(d.tree.Root(), d.artifact.key)
	}
	d.text = enveloped(d.write(d.tree))
	d.run(text)
	out.Envelope = []byte(d.text)
	return out
}

func (d *draft) artifactOctets() []byte {
	a := d.artifact
	source := sha1.Sum([]byte(a.source))
	octets := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, a.kind), a.Index)
	octets = append(append(octets, source[:]...), d.random(20)...)
	return append(octets, make([]byte, max(0, a.size-len(octets)))...)[:a.size]
}

// buildArtifactResponse makes the good, unsigned ArtifactResponse around the Response (Core 3.5.2).
func (d *draft) buildArtifactResponse() {
	root := node("saml2p:ArtifactResponse", "xmlns:saml2p", nsProtocol, "xmlns:saml2", nsAssertion,
		"ID", d.newID(), "InResponseTo", d.artifact.ResolveID, "IssueInstant", d.at(0), "Version", "2.0")
	child(root, "saml2:Issuer").SetText(d.artifact.Issuer)
	child(child(root, "saml2p:Status"), "saml2p:StatusCode", "Value", success)
	root.AddChild(d.tree.Root())
	d.tree = etree.NewDocumentWithRoot(root)
}

// enveloped returns a document in a SOAP envelope (Bindings 3.2.2).
func enveloped(document string) string {
	return `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>` + document +
		`</soap:Body></soap:Envelope>`
}

// artifactSteps change artifacts and answers.
var artifactSteps = map[string]step{
	"artifact-type":   {setup, 1, func(d *draft, a []string) { d.artifact.kind = uint16(number(a[0])) }},
	"artifact-index":  {setup, 1, func(d *draft, a []string) { d.artifact.Index = uint16(number(a[0])) }},
	"artifact-source": {setup, 1, func(d *draft, a []string) { d.artifact.source = a[0] }},
	"artifact-size":   {setup, 1, func(d *draft, a []string) { d.artifact.size = number(a[0]) }},

	// The ArtifactResponse is signed, by the identity provider unless the attacker does.
	"outside":              {setup, 0, func(d *draft, _ []string) { d.artifact.outside = true }},
	"outside-attacker-key": {setup, 0, func(d *draft, _ []string) { d.artifact.key = d.attackerKey() }},
}
