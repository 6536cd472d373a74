package saml

import (
	"encoding/base64"
	"fmt"
)

// outbound is a message that is always signed. head and tail are its canonical form; the signature goes in between.
type outbound struct {
	sp                     *ServiceProvider
	param, id, binding, to string
	head, tail             string
}

// ID returns the message's ID.
func (o *outbound) ID() string { return o.id }

// Binding returns HTTPRedirect, HTTPPost or SOAP: whether to call RedirectURL, PostForm or Envelope.
func (o *outbound) Binding() string { return o.binding }

// URL returns the identity provider's address. It is empty for the answer to a message by SOAP.
func (o *outbound) URL() string { return o.to }

// RedirectURL returns the URL to redirect the browser to with HTTP-Redirect (Bindings 3.4.4.1). relayState is at most
// 80 bytes; empty leaves it out.
func (o *outbound) RedirectURL(relayState string) (string, error) {
	if err := checkSend("Binding", o.binding, HTTPRedirect, relayState); err != nil {
		return "", err
	}
	query, err := o.sp.redirectQuery(o.param, o.head+o.tail, relayState, true)
	if err != nil {
		return "", err
	}
	return withQuery(o.to, query), nil
}

// PostForm returns the form to send with HTTP-POST (Bindings 3.5.4). relayState is at most 80 bytes; empty leaves it
// out.
func (o *outbound) PostForm(relayState string) (PostForm, error) {
	if err := checkSend("Binding", o.binding, HTTPPost, relayState); err != nil {
		return PostForm{}, err
	}
	xml, err := o.signed()
	if err != nil {
		return PostForm{}, err
	}
	form, message := PostForm{URL: o.to, RelayState: relayState}, base64.StdEncoding.EncodeToString([]byte(xml))
	if o.param == "SAMLRequest" {
		form.SAMLRequest = message
	} else {
		form.SAMLResponse = message
	}
	return form, nil
}

// Envelope returns the SOAP envelope with the message (Bindings 3.2.2.1).
func (o *outbound) Envelope() ([]byte, error) {
	if err := checkSend("Binding", o.binding, SOAP, ""); err != nil {
		return nil, err
	}
	xml, err := o.signed()
	if err != nil {
		return nil, err
	}
	return []byte(soapHead + xml + soapTail), nil
}

func (o *outbound) signed() (string, error) {
	signature, err := o.sp.signEnveloped(o.id, o.head+o.tail)
	if err != nil {
		return "", err
	}
	return o.head + signature + o.tail, nil
}

// String describes the message for a log, without the user's name.
func (o *outbound) String() string { return fmt.Sprintf("%s %s to %s", o.param, o.id, o.to) }
