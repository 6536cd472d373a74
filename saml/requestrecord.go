package saml

import (
	"bytes"
	"encoding/json"
	"time"
)

// RequestRecord records what an AuthnRequest asked for. Keep it until the response
// arrives, and call [Assertion.CheckRequest] with it. It can be stored as JSON. An older
// version of this package that reads the JSON refuses the answer if it can't enforce
// everything that was asked, and so does this version with that of a newer one.
type RequestRecord struct {
	ID           string                 `json:"id"`
	IdP          string                 `json:"idp"` // entity ID
	ACS          string                 `json:"acs"` // URL
	At           time.Time              `json:"at"`
	ForceAuthn   bool                   `json:"force_authn,omitempty"`
	AuthnContext *RequestedAuthnContext `json:"authn_context,omitempty"`
	NameIDFormat string                 `json:"name_id_format,omitempty"`

	// Of the second format.

	SPNameQualifier string  `json:"sp_name_qualifier,omitempty"`
	Subject         *NameID `json:"subject,omitempty"`
}

// recordFields are the fields without the methods.
type recordFields RequestRecord

// MarshalJSON writes the first format if its fields are enough. Otherwise it writes the
// second, which has all fields below "v2". A program that knows only the first format
// finds no ID there, so it refuses the answer.
func (r RequestRecord) MarshalJSON() ([]byte, error) {
	if r.SPNameQualifier == "" && r.Subject == nil {
		return json.Marshal(recordFields(r))
	}
	return json.Marshal(map[string]recordFields{"v2": recordFields(r)})
}

// UnmarshalJSON reads both formats. It returns an error for a field that it doesn't
// know, which would not be enforced.
func (r *RequestRecord) UnmarshalJSON(b []byte) error {
	var record struct {
		recordFields
		V2 *recordFields `json:"v2"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&record); err != nil {
		return err
	}
	*r = RequestRecord(record.recordFields)
	if record.V2 != nil {
		*r = RequestRecord(*record.V2)
	}
	return nil
}
