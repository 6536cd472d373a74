package mockidp

import (
	"cmp"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Form is an answer as a browser sends it to the service provider, by the HTTP-POST binding (SAML Bindings 3.5) or,
// with an artifact, by HTTP-Artifact (3.6).
type Form struct {
	// URL is the assertion consumer service; always one on the app's list, with a query that Config.Mutate may add. Of a
	// logout message it is the app's LogoutURL or LogoutResponseURL.
	URL          string
	SAMLResponse string // base64; "" if an artifact is sent
	RelayState   string // "" if there is none

	// The rest is zero unless Config.Mutate changed the form, or it carries an artifact.

	// Fields replace SAMLResponse and RelayState, in this order; names may repeat. Zero (nil): SAMLResponse, and
	// RelayState unless it is "".
	Fields []Field
	// Method is POST or GET. Zero: POST.
	Method Method
	// Encoding is the encoding of a POST. Zero: URLEncoded.
	Encoding FormEncoding
}

// Field is an input of a form.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Method is how a browser sends a form.
type Method string

// The methods that forms have in HTML.
const (
	POST Method = "" // the zero value
	GET  Method = "get"
)

// FormEncoding is a form's enctype.
type FormEncoding string

// The encodings that forms have in HTML.
const (
	URLEncoded FormEncoding = "" // application/x-www-form-urlencoded; the zero value
	Multipart  FormEncoding = "multipart/form-data"
	PlainText  FormEncoding = "text/plain"
)

// Inputs returns all fields of the form, in order.
func (f Form) Inputs() []Field {
	if f.Fields != nil {
		return f.Fields
	}
	out := []Field{{"SAMLResponse", f.SAMLResponse}}
	if f.RelayState != "" {
		out = append(out, Field{"RelayState", f.RelayState})
	}
	return out
}

// Values returns the form's fields for http.Client.PostForm.
func (f Form) Values() url.Values {
	v := url.Values{}
	for _, x := range f.Inputs() {
		v.Add(x.Name, x.Value)
	}
	return v
}

func (f Form) clone() Form {
	f.Fields = slices.Clone(f.Fields)
	return f
}

func (f *Form) cutResponse() {
	half := func(s string) string { return s[:len(s)/2] }
	f.SAMLResponse = half(f.SAMLResponse)
	f.Fields = slices.Clone(f.Fields)
	for i, x := range f.Fields {
		if strings.HasPrefix(x.Name, "SAMLResponse") {
			f.Fields[i].Value = half(x.Value)
		}
	}
}

// request returns the request that a browser sends (HTML, form submission algorithm).
func (f Form) request() (*http.Request, error) {
	fields, breaks := slices.Clone(f.Inputs()), strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n")
	for i, x := range fields {
		fields[i] = Field{breaks.Replace(x.Name), breaks.Replace(x.Value)}
	}
	if f.Method == GET {
		u, err := url.Parse(f.URL)
		if err != nil {
			return nil, err
		}
		u.RawQuery = encodeFields(fields) // replaces the query of the URL
		return http.NewRequest(http.MethodGet, u.String(), nil)
	}
	var body strings.Builder
	contentType := cmp.Or(string(f.Encoding), "application/x-www-form-urlencoded")
	switch f.Encoding {
	case Multipart:
		w := multipart.NewWriter(&body)
		for _, x := range fields {
			_ = w.WriteField(x.Name, x.Value) // a strings.Builder never fails
		}
		_ = w.Close()
		contentType = w.FormDataContentType()
	case PlainText:
		for _, x := range fields {
			body.WriteString(x.Name + "=" + x.Value + "\r\n")
		}
	default:
		body.WriteString(encodeFields(fields))
	}
	req, err := http.NewRequest(http.MethodPost, f.URL, strings.NewReader(body.String()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	return req, nil
}

// encodeFields keeps the order, unlike url.Values.
func encodeFields(list []Field) string {
	var parts []string
	for _, x := range list {
		parts = append(parts, url.QueryEscape(x.Name)+"="+url.QueryEscape(x.Value))
	}
	return strings.Join(parts, "&")
}
