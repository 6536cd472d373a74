package mockidp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// maxEdited is how many bytes the XML may have that a user sends. Its form takes up to three times as many.
const maxEdited = 256 << 10

// editorView is the body of the page with the XML of an answer.
type editorView struct {
	App       *App
	Fields    []Field // hidden
	XML       string
	Original  string // the digest of the text that was made, to recognize whether it was edited
	Keep      bool   // the signatures stay as they are
	Encrypted bool
	Signed    string // what the app signs
	ACS       string
	BackLink  string
	Failed    *Error // why the XML wasn't sent
}

// handleEditor shows the XML of a composed answer, signed and not encrypted.
func (s *Server) handleEditor(w http.ResponseWriter, r *http.Request, c composeRequest) *Error {
	if c.app == nil {
		return badParameter("pending or app", "", "the form names no app")
	}
	comp, _, err := s.pageComposition(c)
	if err != nil {
		return err
	}
	comp.attributes = named(comp.attributes)
	if comp.attack != "" {
		return badParameter("", "", "an attack replaces the whole message: there is no XML of it to edit before")
	}
	if err := s.checkComposition(c.st, comp); err != nil {
		return err
	}
	text, err := s.readable(c, comp)
	if err != nil {
		return err
	}
	back := c.form
	back.Del("do")
	s.showEditor(w, http.StatusOK, c, editorView{XML: text, Original: digest(text), ACS: comp.acs,
		BackLink: s.prefix + pathCompose + "?" + back.Encode(), Fields: []Field{
			{"login", comp.user.Login}, {"acs", comp.acs}, {"relay_state", comp.relayState},
			{"audience", c.app.Audience},
		}})
	return nil
}

// readable returns a composed answer with indentation, signed as the app signs. It is valid if it isn't changed.
func (s *Server) readable(c composeRequest, comp composition) (string, *Error) {
	a, err := s.composedAnswer(c.app, c.p, comp)
	a.binding = ResponsePOST // of what was edited
	if err == nil {
		a.signer, err = c.st.signer(c.app)
	}
	if err != nil {
		return "", err
	}
	doc, derr := s.responseDocument(a)
	if derr == nil {
		doc.IndentWithSettings(&etree.IndentSettings{Spaces: 2, PreserveLeafWhitespace: true})
		derr = s.protect(doc.Root(), a, false)
	}
	if derr != nil {
		return "", internal("building the response", derr)
	}
	out, derr := doc.WriteToString()
	if derr != nil {
		return "", internal("building the response", derr)
	}
	return out, nil
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (s *Server) showEditor(w http.ResponseWriter, status int, c composeRequest, v editorView) {
	v.App, v.Encrypted = c.app, c.app.Encrypt != nil
	v.Signed = map[Signing]string{SignBoth: "the assertion and the Response", SignResponse: "the Response",
		SignAssertion: "the assertion", SignArtifactResponse: "the Response"}[c.app.Sign]
	v.Fields = append(v.Fields, Field{"app", c.app.ID})
	if c.key != "" {
		v.Fields = append(v.Fields, Field{"pending", c.key})
	}
	s.render(w, status, "editor", page{Title: "XML of the response", Script: scriptPage, Body: v})
}

// handleSendXML sends a document that was edited. If that fails, the page shows it again.
func (s *Server) handleSendXML(w http.ResponseWriter, r *http.Request, c composeRequest) *Error {
	if c.app == nil {
		return badParameter("pending or app", "", "the form names no app")
	}
	comp := composition{relayState: c.p.relayState}
	if err := comp.setACS(c.app, c.p, c.form.Get("acs")); err != nil {
		return err
	}
	if comp.target != nil {
		if err := comp.target.check(); err != nil {
			return err
		}
	}
	if c.p.req == nil && c.form.Has("relay_state") {
		comp.relayState = c.form.Get("relay_state")
	}
	if err := checkRelayState(comp.relayState); err != nil {
		return err
	}
	// A form has CR LF for each line break. A CR that is meant is written as a character reference.
	text, keep := strings.ReplaceAll(c.form.Get("xml"), "\r\n", "\n"), c.form.Get("sign") == "keep"
	edited := digest(text) != c.form.Get("original")
	raw, err := s.finish(c, text, keep, edited)
	if err != nil {
		v := editorView{XML: text, Original: c.form.Get("original"), Keep: keep, Failed: err, ACS: comp.acs}
		for _, name := range []string{"login", "acs", "relay_state", "audience"} {
			v.Fields = append(v.Fields, Field{name, c.form.Get(name)})
		}
		s.showEditor(w, err.status(), c, v)
		return nil
	}
	return s.post(w, r, c.app, func() (posted, *Error) {
		return s.sendRaw(c.app, comp, cut(c.form.Get("login")), raw, edited), nil
	})
}

// sendRaw adds a document to the messages and returns the form that sends it.
func (s *Server) sendRaw(app *App, comp composition, login string, raw []byte, edited bool) posted {
	faults := s.takeFaults(app.ID)
	m := Message{Time: s.now(), Direction: Sent, App: app.ID, User: login, Binding: bindingPOST, ACS: comp.acs,
		RelayState: comp.relayState, XML: raw, Faults: faults.kinds, Edited: edited,
		Form: Form{URL: comp.acs, SAMLResponse: base64.StdEncoding.EncodeToString(raw), RelayState: comp.relayState}}
	if faults.has(CutResponse) {
		m.Form.cutResponse()
	}
	s.config.Logger.Info("mockidp: sent a response as composed", "app", app.ID, "acs", comp.acs, "edited", edited)
	s.messages.add(m)
	return posted{m.Form.clone(), faults}
}

// finish makes the message of a document: signed again unless keep, and encrypted if the app encrypts.
func (s *Server) finish(c composeRequest, text string, keep, edited bool) ([]byte, *Error) {
	switch {
	case len(text) > maxEdited:
		return nil, errorf(ReasonTooLarge, "the XML is over %d bytes", maxEdited)
	case !utf8.ValidString(text):
		return nil, malformed(nil, "the XML is not UTF-8")
	}
	doc := canonical(etree.NewDocument())
	doc.ReadSettings = etree.ReadSettings{CharsetReader: onlyUTF8, PreserveDuplicateAttrs: true, MaxDepth: 2 * maxDepth}
	if err := doc.ReadFromString(text); err != nil {
		return nil, malformed(err, "this is not well-formed XML")
	}
	if roots := doc.ChildElements(); len(roots) != 1 {
		return nil, malformed(nil, "this is not XML with one root element")
	}
	encrypt := c.app.Encrypt != nil
	if !encrypt && (keep || !edited) {
		return []byte(text), nil // the very bytes, so that its signatures stay valid if nothing was changed
	}
	signer, err := c.st.signer(c.app)
	if err != nil {
		return nil, err
	}
	if err := s.finishResponse(doc.Root(), c.app, signer, !keep, !keep || !edited); err != nil {
		return nil, malformed(err, "the XML can't be signed or encrypted")
	}
	out, werr := doc.WriteToBytes()
	if werr != nil {
		return nil, internal("writing the response", werr)
	}
	return out, nil
}

// finishResponse signs and encrypts the assertions of a Response, and signs it. If assertions stay as they are signed
// and the document wasn't changed, the Response is signed even so: encryption changes what its signature covers.
func (s *Server) finishResponse(resp *etree.Element, app *App, by signer, assertions, response bool) error {
	if nameOf(resp) != (xml.Name{Space: nsProtocol, Local: "Response"}) {
		return mismatch(ReasonMalformed, nsProtocol+" Response", nameOf(resp).Space+" "+resp.Tag,
			"the root element is not a Response")
	}
	signed := false // whether an assertion was
	for _, el := range resp.ChildElements() {
		if nameOf(el) != (xml.Name{Space: nsAssertion, Local: "Assertion"}) {
			continue
		}
		declareInScope(el)
		signed = true
		if assertions && app.Sign != SignResponse && app.Sign != SignArtifactResponse {
			if err := by.signAgain(el); err != nil {
				return err
			}
		}
		if app.Encrypt != nil {
			if err := s.encrypt(app, el); err != nil {
				return err
			}
		}
	}
	if !response || signed && app.Sign == SignAssertion {
		return nil
	}
	return by.signAgain(resp)
}

// signAgain replaces the signature of an element.
func (k signer) signAgain(el *etree.Element) error {
	if strings.TrimSpace(el.SelectAttrValue("ID", "")) == "" {
		return malformed(nil, "the %s has no ID, which a signature refers to (SAML Core 5.4.2)", el.Tag)
	}
	for old := childNamed(el, signatureName); old != nil; old = childNamed(el, signatureName) {
		el.RemoveChild(old)
	}
	return k.sign(el)
}

var signatureName = xml.Name{Space: nsSignature, Local: "Signature"}

// declareInScope declares on an element the namespaces that are in scope there, because it is signed and encrypted
// apart from the elements around it.
func declareInScope(el *etree.Element) {
	declared := map[string]bool{}
	for at := el; at != nil; at = at.Parent() {
		for _, a := range at.Attr {
			if a.Space != "xmlns" && (a.Space != "" || a.Key != "xmlns") || declared[a.FullKey()] {
				continue
			}
			declared[a.FullKey()] = true
			if at != el {
				el.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
}
