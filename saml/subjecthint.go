package saml

import "cmp"

// clone, write and checkRequested are for a NameID in a request. Nil is none.

func (n *NameID) clone() *NameID {
	if n == nil {
		return nil
	}
	return new(*n)
}

// checkRequested refuses a NameID that can't be written, and one that Verify would
// never accept.
func (n *NameID) checkRequested(cfg *Config) error {
	if n == nil {
		return nil
	}
	const field = "RequestOptions.Subject."
	for _, f := range []struct{ name, text string }{
		{"Value", n.Value}, {"Format", n.Format}, {"NameQualifier", n.NameQualifier}, {"SPProvidedID", n.SPProvidedID},
	} {
		if err := checkRequestText(field+f.name, f.text, f.name == "Value"); err != nil {
			return err
		}
	}
	return cfg.checkQualifier(field+"SPNameQualifier", n.SPNameQualifier)
}

// write writes a Subject without a SubjectConfirmation, which Profiles 4.1.4.1 forbids.
func (n *NameID) write(w *canonicalWriter) {
	if n == nil {
		return
	}
	w.start("saml:Subject", attribute{"xmlns:saml", nsAssertion})
	w.nameID(*n, attribute{})
	w.end("saml:Subject")
}

// checkSubject requires the assertion to be about the requested subject (Core 3.4.1.4).
// The NameID must match strongly: content and attributes are the same (3.3.4), with
// the defaults of absent attributes (2.2.2, 8.3.7). It may have been encrypted.
func (a *Assertion) checkSubject(asked NameID) error {
	refused := func(part, want, got string) error {
		return &Error{Reason: ReasonSubject, Rule: "Subject (Core 3.4.1.4)", Detail: part, Want: want, Got: got}
	}
	if !a.a.hasNameID {
		return refused("no NameID", asked.Value, "")
	}
	want, got := a.withDefaults(asked), a.withDefaults(a.a.nameID)
	for _, part := range []struct{ name, want, got string }{
		{"NameID", want.Value, got.Value},
		{"NameID/@Format", want.Format, got.Format},
		{"NameID/@NameQualifier", want.NameQualifier, got.NameQualifier},
		{"NameID/@SPNameQualifier", want.SPNameQualifier, got.SPNameQualifier},
		{"NameID/@SPProvidedID", want.SPProvidedID, got.SPProvidedID},
	} {
		if part.want != part.got {
			return refused(part.name, part.want, part.got)
		}
	}
	return nil
}

func (a *Assertion) withDefaults(n NameID) NameID {
	n.Format = cmp.Or(n.Format, formatUnspec)
	n.NameQualifier = cmp.Or(n.NameQualifier, a.Issuer())
	n.SPNameQualifier = cmp.Or(n.SPNameQualifier, a.sp)
	return n
}
