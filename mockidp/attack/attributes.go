package attack

import (
	"errors"
	"slices"
	"strings"
)

// AttributeCase is one hostile answer to an attribute query (SAML Profiles 6): a row of the catalogue or a variant of
// one.
type AttributeCase struct {
	// ID, Name, Description and Reference are as in [Case].
	ID, Name, Description, Reference string
	// Outcome is the expected outcome. An accepted answer is about Params.Subject.
	Outcome Outcome

	changes
}

// Row returns the ID of the row that c shows.
func (c AttributeCase) Row() string {
	row, _, _ := strings.Cut(c.ID, "/")
	return row
}

// AttributeParams fills in an answer. Of Params, Subject is the user who was asked about. Recipient is required, and
// like RequestID and EncryptTo it isn't in the answer.
type AttributeParams struct {
	Params
	// QueryID is the ID of the AttributeQuery. Required.
	QueryID string
}

// AttributeCases lists the answers in the order of the catalogue. They share slices, which must not be changed.
func AttributeCases() []AttributeCase { return slices.Clone(read().attributes) }

// Make makes the SOAP envelope of the hostile answer.
func (c AttributeCase) Make(p AttributeParams) ([]byte, error) { return c.make(p, c.base, c.attack) }

// Twin makes that of the same answer without the attack. A service provider that sent the query must accept it.
func (c AttributeCase) Twin(p AttributeParams) ([]byte, error) { return c.make(p, c.base) }

func (c AttributeCase) make(p AttributeParams, changes ...change) ([]byte, error) {
	document, err := c.answer(p, changes...)
	return []byte(enveloped(document)), err
}

// PostedAttributes makes a good answer as the form value of a response: an attack on a service provider that takes one
// for a sign-in. It is an answer to Params.RequestID.
func PostedAttributes(p Params) ([]byte, error) {
	document, err := AttributeCase{ID: "J20"}.answer(AttributeParams{Params: p, QueryID: p.RequestID})
	return []byte(encode([]byte(document))), err
}

// answer makes the document: a Response whose assertion has attributes, and neither a statement about a sign-in nor a
// confirmation by which a browser could use it (Core 3.3.4).
func (c AttributeCase) answer(p AttributeParams, changes ...change) (string, error) {
	p.RequestID, p.EncryptTo = p.QueryID, nil
	d, err := newDraft(p.Params, Needs{}, changes)
	if err == nil && p.QueryID == "" {
		err = errors.New("missing QueryID")
	}
	if err != nil {
		return "", &Error{Rule: c.ID, Detail: "parameters", Err: err}
	}
	d.run(setup)
	d.build()
	d.resp.RemoveAttr("Destination")
	detach(d.find("SubjectConfirmation"))
	detach(d.find("AuthnStatement"))
	d.run(before)
	d.signAll()
	d.run(after)
	d.text = withoutDeclaration(d.write(d.tree))
	d.run(text)
	if d.err != nil {
		return "", &Error{Rule: c.ID, Detail: "making it", Err: d.err}
	}
	return d.text, nil
}

// withoutDeclaration removes the XML declaration, which can't stand in an envelope.
func withoutDeclaration(document string) string {
	if _, after, ok := strings.Cut(document, "?>"); ok && strings.HasPrefix(document, "<?xml ") {
		return after
	}
	return document
}

func (c *AttributeCase) set(string, []string) bool { return false }
