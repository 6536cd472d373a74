package peers_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// describedByPysaml2 prints metadata that pysaml2 writes, with contacts and an errorURL. It takes a certificate and
// xmlsec1.
const describedByPysaml2 = `
import sys
from saml2 import BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
d = entity_descriptor(IdPConfig().load({
    "entityid": "https://idp.example/saml", "cert_file": sys.argv[1], "xmlsec_binary": sys.argv[2],
    "service": {"idp": {
        "endpoints": {"single_sign_on_service": [("https://idp.example/sso", BINDING_HTTP_REDIRECT)]},
        "ui_info": {"display_name": [{"text": "University of One", "lang": "en"}]},
    }},
    "contact_person": [
        {"contact_type": "technical", "given_name": "Engineers", "email_address": ["mailto:it@idp.example"]},
        {"contact_type": "support", "given_name": "Help", "sur_name": "Desk", "company": "One",
         "email_address": ["help@idp.example", "desk@idp.example"], "telephone_number": ["+1 555 0100"]},
    ],
}))
d.idpsso_descriptor.error_url = "https://idp.example/help?code=ERRORURL_CODE&ctx=ERRORURL_CTX"
print(d)
`

// Whom users can ask is read from metadata that another program wrote.
func TestContactsOfPysaml2(t *testing.T) {
	py := requirePysaml2(t)
	state, _ := peerState(t, nil)
	crt := filepath.Join(state, "idp.crt")
	out, err := exec.Command(py.python, "-B", "-c", describedByPysaml2, crt, py.xmlsec).Output()
	require.NoError(t, err)
	idp, err := saml.ParseIdPMetadata(out)
	require.NoError(t, err)
	require.Equal(t, saml.Description{
		EntityID: "https://idp.example/saml", Names: []saml.LocalizedText{{Lang: "en", Text: "University of One"}},
		ErrorURL: "https://idp.example/help?code=ERRORURL_CODE&ctx=ERRORURL_CTX",
		Contacts: []saml.Contact{
			{Type: saml.ContactTechnical, GivenName: "Engineers", Emails: []string{"it@idp.example"}},
			{
				Type: saml.ContactSupport, Company: "One", GivenName: "Help", Surname: "Desk",
				Emails: []string{"help@idp.example", "desk@idp.example"}, TelephoneNumbers: []string{"+1 555 0100"},
			},
		},
	}, idp.Description())
}
