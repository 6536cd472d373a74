package saml

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"io"
	"net/url"
)

// maxRelayState is the longest RelayState in bytes (Bindings 3.4.3 and 3.5.3).
const maxRelayState = 80

// PostForm is a form for the browser to post (Bindings 3.5.4). Write it with
// html/template, which escapes it.
type PostForm struct {
	URL         string // the form's action, with RequestOptions.Query
	SAMLRequest string // base64; empty for a response
	RelayState  string // empty: leave the field out
	// SAMLResponse is a LogoutResponse in base64; empty for a request.
	SAMLResponse string
}

// RedirectURL returns the URL to redirect the browser to with HTTP-Redirect
// (Bindings 3.4.4.1). relayState is at most 80 bytes; empty leaves it out.
func (r *AuthnRequest) RedirectURL(relayState string) (string, error) {
	if err := checkSend("AuthnRequest.Binding", r.binding, HTTPRedirect, relayState); err != nil {
		return "", err
	}
	query, err := r.sp.redirectQuery("SAMLRequest", r.head+r.tail, relayState, r.sign)
	if err != nil {
		return "", err
	}
	// The extra parameters come last: some programs verify everything before Signature.
	return withQuery(withQuery(r.sso, query), r.extra), nil
}

// redirectQuery returns the query with a message (Bindings 3.4.4.1).
func (sp *ServiceProvider) redirectQuery(param, message, relayState string, sign bool) (string, error) {
	deflated, err := sp.deflate(message)
	if err != nil {
		return "", &Error{Reason: ReasonConfig, Rule: param, Detail: "can't be deflated", Err: err}
	}
	query := param + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated))
	if relayState != "" {
		query += "&RelayState=" + url.QueryEscape(relayState)
	}
	if !sign {
		return query, nil
	}
	return sp.signQuery(query)
}

// deflate compresses a message (Bindings 3.4.4.1). Writers are pooled: one takes
// 0.8 MB, and more time to allocate than to use.
func (sp *ServiceProvider) deflate(message string) ([]byte, error) {
	var out bytes.Buffer
	w, kept := sp.deflaters.Get().(*flate.Writer)
	if kept {
		w.Reset(&out)
	} else {
		w, _ = flate.NewWriter(&out, flate.DefaultCompression) // fails on unknown levels only
	}
	if _, err := io.WriteString(w, message); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	sp.deflaters.Put(w)
	return out.Bytes(), nil
}

// PostForm returns the form to send with HTTP-POST. relayState is at most 80
// bytes; empty leaves it out.
func (r *AuthnRequest) PostForm(relayState string) (PostForm, error) {
	if err := checkSend("AuthnRequest.Binding", r.binding, HTTPPost, relayState); err != nil {
		return PostForm{}, err
	}
	signature := ""
	if r.sign {
		var err error
		if signature, err = r.sp.signEnveloped(r.record.ID, r.head+r.tail); err != nil {
			return PostForm{}, err
		}
	}
	xml := base64.StdEncoding.EncodeToString([]byte(r.head + signature + r.tail))
	return PostForm{URL: withQuery(r.sso, r.extra), SAMLRequest: xml, RelayState: relayState}, nil
}

func checkSend(field, have, binding, relayState string) error {
	if have != binding {
		return configError(field, "the binding of this message is %s", quote(have))
	}
	if len(relayState) > maxRelayState {
		return configError("RelayState", "at most %d bytes (Bindings 3.4.3), got %d", maxRelayState, len(relayState))
	}
	return nil
}
