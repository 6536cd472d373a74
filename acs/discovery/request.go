package discovery

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	policySingle  = "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol:single"
	maxReturn     = 2048 // bytes
	maxParam      = 64   // bytes of returnIDParam
	maxParameters = 32   // of the request
	paramLetters  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
)

// request is a service provider's request (IdP Discovery Protocol).
type request struct {
	entityID string
	back     string // the address for the answer
	param    string // the parameter of it that names the choice
	passive  bool
}

// readRequest reads and checks the parameters of the protocol.
func (p *Page) readRequest(query url.Values) (*request, error) {
	if len(query) > maxParameters {
		return nil, &Error{Reason: ReasonRequest, Rule: "query", Detail: "too many parameters"}
	}
	for _, name := range []string{"entityID", "return", "returnIDParam", "policy", "isPassive", "idp", "q", "page"} {
		if len(query[name]) > 1 {
			return nil, &Error{Reason: ReasonRequest, Rule: name, Detail: "is given twice"}
		}
	}
	r := &request{
		entityID: query.Get("entityID"), back: query.Get("return"), param: query.Get("returnIDParam"),
		passive: query.Get("isPassive") == "true",
	}
	list, known := p.cfg.Returns[r.entityID]
	if r.back == "" && known {
		r.back = list[0]
	}
	if r.param == "" {
		r.param = "entityID"
	}
	switch policy := query.Get("policy"); {
	case !known:
		const want = "a service provider of Config.Returns"
		return nil, &Error{Reason: ReasonRequest, Rule: "entityID", Want: want, Got: r.entityID}
	case policy != "" && policy != policySingle:
		return nil, &Error{Reason: ReasonRequest, Rule: "policy", Want: policySingle, Got: policy}
	case len(r.param) > maxParam || strings.Trim(r.param, paramLetters) != "":
		return nil, &Error{Reason: ReasonRequest, Rule: "returnIDParam", Got: r.param}
	}
	return r, r.checkReturn(list)
}

// checkReturn requires the address for the answer to be one of the service provider's,
// byte for byte, up to its query.
func (r *request) checkReturn(list []string) error {
	to, query, _ := strings.Cut(r.back, "?")
	odd := func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("\"#<>\\^`{|}", c) }
	values, err := url.ParseQuery(query)
	if err != nil || len(r.back) > maxReturn || strings.ContainsFunc(r.back, odd) || !slices.Contains(list, to) {
		return &Error{Reason: ReasonReturn, Rule: "return", Want: strings.Join(list, " or "), Got: r.back}
	}
	if values.Has(r.param) {
		return &Error{Reason: ReasonReturn, Rule: "return", Detail: "already has the parameter " + r.param}
	}
	return nil
}

// answer sends the browser back with the choice, or without one.
func (r *request) answer(w http.ResponseWriter, idp string) {
	to := r.back
	if idp != "" {
		separator := "?"
		if strings.Contains(to, "?") {
			separator = "&"
		}
		to += separator + r.param + "=" + url.QueryEscape(idp)
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// link returns a link to the page for the same request, with more parameters.
func (r *request) link(pairs ...string) string {
	query := url.Values{"entityID": {r.entityID}, "return": {r.back}, "returnIDParam": {r.param}}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	return "?" + query.Encode()
}
