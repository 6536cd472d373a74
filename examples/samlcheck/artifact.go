package main

import (
	"bytes"
	"encoding/xml"

	"github.com/meridian-saml/meridian/saml"
)

// artifactResponse is what a response that was got by artifact answers.
type artifactResponse struct {
	resolveID string
	assumed   bool // it is what the message itself says
}

// artifact reports whether the input is the answer to an ArtifactResolve by SOAP, and to which. Without -resolve-id it
// is taken for the answer to the one that it names, because only the service provider knows which one it sent.
func (o *options) artifact(m message) (artifactResponse, bool) {
	if !isXML(m.body) {
		return artifactResponse{}, false
	}
	d := xml.NewDecoder(bytes.NewReader(m.body))
	for depth := 0; depth < 3; { // Envelope, Body, ArtifactResponse
		token, err := d.RawToken()
		if err != nil {
			break
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok, start.Name.Local == "Header":
			continue
		case depth == 0 && start.Name.Local != "Envelope":
			return artifactResponse{}, false
		case start.Name.Local == "ArtifactResponse" && o.resolveID == "":
			return artifactResponse{attr(start, "InResponseTo"), true}, true
		case start.Name.Local == "ArtifactResponse":
			return artifactResponse{o.resolveID, false}, true
		}
		depth++
	}
	return artifactResponse{}, false
}

// record returns what package saml compares the answer with. Nothing matches an answer that names no request.
func (a artifactResponse) record(idp *saml.IdP) saml.ArtifactRecord {
	record := saml.ArtifactRecord{ID: a.resolveID, IdP: idp.EntityID()}
	if record.ID == "" {
		record.ID = "the ID of the ArtifactResolve"
	}
	return record
}
