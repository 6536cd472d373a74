package oktaapi

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

// bindingWords explain how messages travel, by the last part of the binding's URN.
var bindingWords = map[string]string{
	"SOAP": "The two servers talk to each other, without the browser (Bindings 3.2). An error of SAML is a status in a " +
		"message with the HTTP status 200; a Fault has 500.",
	"HTTP-Artifact": "The browser carries a reference; the service provider fetches the message below with it, by SOAP " +
		"(Bindings 3.6).",
	"HTTP-Redirect": "The browser carries the message in the address (Bindings 3.4). The signature of a message is over " +
		"the query, not in the XML.",
	"HTTP-POST": "The browser carries the message in a form (Bindings 3.5).",
}

// explained returns the lines of a message's page: of its artifact, if the browser carries one, and of its XML.
func explained(m mockidp.Message) []line {
	all := explain(m.XML)
	if m.Direction != mockidp.Sent || lastPart(m.Binding) != "HTTP-Artifact" || all == nil {
		return all
	}
	i := slices.IndexFunc(m.Form.Fields, func(f mockidp.Field) bool { return f.Name == "SAMLart" })
	if i < 0 {
		return all
	}
	artifact := m.Form.Fields[i].Value
	own := explanations()["Artifact"]
	own.Name, own.Value = "SAMLart", brief(artifact)
	return slices.Concat([]line{own}, artifactLines(artifact, 1), all)
}

// artifactLines returns the parts of an artifact of type 0x0004 (SAML Bindings 3.6.4), or nothing for another one.
func artifactLines(artifact string, depth int) []line {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(artifact))
	if err != nil || len(raw) != 44 {
		return nil
	}
	part := func(name, value, what string) line {
		return line{Depth: depth, Name: name, Value: value, What: what, Section: "Bindings 3.6.4"}
	}
	return []line{
		part("TypeCode", hex.EncodeToString(raw[:2]), "The artifact's format. SAML 2.0 has one."),
		part("EndpointIndex", strconv.Itoa(int(binary.BigEndian.Uint16(raw[2:]))),
			"The ArtifactResolutionService to call, by its index in the metadata. Take its address from there only."),
		part("SourceID", hex.EncodeToString(raw[4:24]),
			"The SHA-1 of the identity provider's entity ID. It finds the provider; it proves nothing."),
		part("MessageHandle", hex.EncodeToString(raw[24:]), "The message. It must be unpredictable."),
	}
}
