package saml

import "strings"

// small is the largest document that a value may keep in memory. Values are
// substrings of the document, and are not copied if it is small. A NameID that is
// kept must not keep an attacker's two megabytes.
const small = 16 << 10

// detach copies the texts of an assertion if its document, of size bytes, is large.
func (a *assertion) detach(size int) {
	if size <= small {
		return
	}
	all := a.texts()
	total := 0
	for _, s := range all {
		total += len(*s)
	}
	var values strings.Builder // one allocation for all
	values.Grow(total)
	for _, s := range all {
		values.WriteString(*s)
	}
	rest := values.String()
	for _, s := range all {
		*s, rest = rest[:len(*s)], rest[len(*s):]
	}
}

// texts returns pointers to every text of an assertion that an accessor can return.
func (a *assertion) texts() []*string {
	values := 0
	for i := range a.attributes {
		values += 3 + len(a.attributes[i].Values)
	}
	all := append(make([]*string, 0, values+64),
		&a.id, &a.version, &a.issuer.value, &a.issuer.format, &a.conditions.proxyCount,
		&a.nameID.Value, &a.nameID.Format, &a.nameID.NameQualifier, &a.nameID.SPNameQualifier, &a.nameID.SPProvidedID,
	)
	for i := range a.confirmations {
		c := &a.confirmations[i]
		all = append(all, &c.method, &c.recipient, &c.inResponseTo.value)
	}
	for i := range a.authn {
		all = append(all, &a.authn[i].sessionIndex, &a.authn[i].classRef)
	}
	for _, restriction := range a.conditions.audiences {
		for i := range restriction {
			all = append(all, &restriction[i])
		}
	}
	for i := range a.attributes {
		attr := &a.attributes[i]
		all = append(all, &attr.Name, &attr.NameFormat, &attr.FriendlyName)
		for j := range attr.Values {
			all = append(all, &attr.Values[j].Text)
			all = elementTexts(all, attr.Values[j].Elements)
		}
	}
	return all
}

func elementTexts(all []*string, elements []Element) []*string {
	for i := range elements {
		e := &elements[i]
		all = append(all, &e.Namespace, &e.Name, &e.Text)
		for j := range e.Attributes {
			all = append(all, &e.Attributes[j].Namespace, &e.Attributes[j].Name, &e.Attributes[j].Value)
		}
		all = elementTexts(all, e.Elements)
	}
	return all
}
