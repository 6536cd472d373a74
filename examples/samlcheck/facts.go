package main

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"time"
)

// facts are the values in a message that a flag could name. They are not verified. Each is tried, and package saml
// reports whether it helps.
type facts struct {
	recipients []string // Recipient, then Destination
	audiences  []string
	requestIDs []string
	issuers    []string
	made       []time.Time // the instants before which the message can't be used
	issued     time.Time   // the first IssueInstant
	keyBits    int         // of the key that it is encrypted to; 0 if unknown
}

// maxFacts bounds each list, and so how often a message is verified.
const maxFacts = 4

// scan reads the facts. It stops where the document is not well-formed.
func scan(doc []byte) facts {
	var f facts
	var destination string
	var text strings.Builder
	inKey := false
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for {
		token, err := d.RawToken()
		if err != nil {
			break
		}
		switch t := token.(type) {
		case xml.StartElement:
			text.Reset()
			switch t.Name.Local {
			case "EncryptedKey":
				inKey = true
			case "Response":
				destination = attr(t, "Destination")
				add(&f.requestIDs, attr(t, "InResponseTo"))
			case "SubjectConfirmationData":
				add(&f.recipients, attr(t, "Recipient"))
				add(&f.requestIDs, attr(t, "InResponseTo"))
			}
			f.addTime(t)
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			switch t.Name.Local {
			case "Audience":
				add(&f.audiences, text.String())
			case "Issuer":
				add(&f.issuers, text.String())
			case "EncryptedKey":
				inKey = false
			case "CipherValue":
				sealed, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text.String()), ""))
				if err == nil && inKey && f.keyBits == 0 {
					f.keyBits = 8 * len(sealed)
				}
			}
			text.Reset() // a text counts once, also in a malformed document
		}
	}
	add(&f.recipients, destination)
	return f
}

// addTime adds the instant in an element, if it has one, before which the message can't be used.
func (f *facts) addTime(t xml.StartElement) {
	name := map[string]string{
		"Response": "IssueInstant", "Assertion": "IssueInstant", "Conditions": "NotBefore", "AuthnStatement": "AuthnInstant",
	}[t.Name.Local]
	if name == "" {
		return
	}
	if at, err := time.Parse(time.RFC3339Nano, attr(t, name)); err == nil && len(f.made) < 4*maxFacts {
		f.made = append(f.made, at.UTC())
		if name == "IssueInstant" && (f.issued.IsZero() || at.Before(f.issued)) {
			f.issued = at
		}
	}
}

func attr(t xml.StartElement, name string) string {
	i := slices.IndexFunc(t.Attr, func(a xml.Attr) bool { return a.Name == xml.Name{Local: name} })
	if i < 0 {
		return ""
	}
	return t.Attr[i].Value
}

func add(list *[]string, value string) {
	if value != "" && len(*list) < maxFacts && !slices.Contains(*list, value) {
		*list = append(*list, value)
	}
}
