package saml_test

import "bytes"

// forge is signature wrapping: the signed assertion goes somewhere else, and a
// changed copy, with or without its Signature and its ID, takes its place.
func forge(m *mutator, c chooser) bool {
	a, ok := m.spanOf(c, []string{"Assertion", "Assertion", "Assertion", "Response"}[c.pick(4)])
	if !ok {
		return false
	}
	original := m.text(a.all)
	forged := original
	if c.pick(2) == 0 {
		if s, ok := m.spanOf(c, "Signature"); ok && s.all.from >= a.all.from && s.all.to <= a.all.to {
			forged = m.text(cut{a.all.from, s.all.from}) + m.text(cut{s.all.to, a.all.to})
		}
	}
	forged = string(bytes.ReplaceAll([]byte(forged), []byte("alice@"), []byte("admin@")))
	if c.pick(2) == 0 {
		forged = string(
			bytes.Replace(
				[]byte(forged),
				[]byte(`ID="_asrt1"`),
				[]byte(oneOf(c, []string{`ID="_evil"`, `Id="_asrt1"`, ``, `ID=""`, `ID="_resp1"`})),
				1,
			),
		)
	}
	inside := func(host, name, prefix string) string {
		end := bytes.LastIndex([]byte(host), []byte("</"))
		if end < 0 {
			return host
		}
		return host[:end] + "<" + prefix + ":" + name + ` xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` + original +
			"</" + prefix + ":" + name + ">" + host[end:]
	}
	switch c.pick(6) {
	case 0:
		return m.splice(a.all, forged, original)
	case 1:
		return m.splice(a.all, original, forged)
	case 2:
		return m.splice(a.all, inside(forged, "Advice", "saml"))
	case 3:
		return m.splice(a.all, inside(forged, "Object", "ds"))
	case 4:
		return m.splice(a.all, forged, "<samlp:Extensions>", original, "</samlp:Extensions>")
	}
	return m.splice(a.all, "<samlp:Extensions>", original, "</samlp:Extensions>", forged)
}
