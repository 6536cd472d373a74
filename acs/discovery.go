package acs

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// This file has the service provider's side of discovery (Identity Provider Discovery Service Protocol and Profile,
// the IdP Discovery Protocol here): a page on which the user chooses an identity provider, on this host or another.
// What a sign-in asks for is stored, as a request is, under a secret in the browser's cookie. Only an answer of the
// same browser to it counts. Otherwise another site could choose for the user, and sign them in to an account of its
// own.

const ruleDiscovery = "Discovery (IdP Discovery Protocol)"

// discoveryPrefix begins the ID of a pending discovery. IDs of requests begin with "_".
const discoveryPrefix = "discovery-"

func (q pendingRequest) isDiscovery() bool { return strings.HasPrefix(q.id, discoveryPrefix) }

// discoveryRecord is the store's part of a pending discovery.
type discoveryRecord struct {
	At      time.Time    `json:"at"`
	Options LoginOptions `json:"options"`
}

// encode returns the record as JSON. If a node of an older version would not ask for all of the options, the record is
// below "v2". There that node finds no instant, so it refuses the answer.
func (d discoveryRecord) encode() ([]byte, error) {
	o := d.Options
	o.Subject, o.ProviderName, o.AttributeConsumingServiceIndex = nil, "", 0
	o.Scoping, o.Extensions, o.Query = nil, nil, nil
	policy := o.NameIDPolicy
	if reflect.DeepEqual(o, d.Options) && (policy == nil || policy.SPNameQualifier == "") {
		return json.Marshal(d)
	}
	return json.Marshal(map[string]discoveryRecord{"v2": d})
}

// decode reads both forms of the record. A field that it doesn't know is an error.
func (d *discoveryRecord) decode(raw []byte) error {
	var read struct {
		discoveryRecord
		V2 *discoveryRecord `json:"v2"`
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&read); err != nil {
		return err
	}
	if *d = read.discoveryRecord; read.V2 != nil {
		*d = *read.V2
	}
	return nil
}

// startDiscovery sends the browser to the discovery service.
func (c *Consumer) startDiscovery(
	w http.ResponseWriter, r *http.Request, o LoginOptions, q pendingRequest, gone []pendingRequest,
) error {
	err := c.cfg.SP.CheckRequestOptions(o.request(c.here.URL, "")) // before the user is asked
	if err != nil {
		return err
	}
	if q.secret, err = c.random(secretBytes); err != nil {
		return err
	}
	state, err := c.random(relayBytes)
	if err != nil {
		return err
	}
	now := c.cfg.SP.Now()
	o.ReturnTo = c.allowed.allow(o.ReturnTo)
	record, err := discoveryRecord{At: now, Options: o}.encode()
	if err != nil {
		return &Error{Reason: ReasonConfig, Rule: "LoginOptions", Detail: "can't be encoded", Err: err}
	}
	q.id, q.at = discoveryPrefix+state, now.Unix()
	if err := c.keep(w, r, q, gone, record, now); err != nil {
		return err
	}
	w.Header().Set("Location", c.discoveryURL(state, o.IsPassive))
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// discoveryURL returns the request to the discovery service. The address for the answer has the host of the ACS URL,
// and nothing of the client's request.
func (c *Consumer) discoveryURL(state string, passive bool) string {
	back := url.URL{Scheme: c.url.Scheme, Host: c.url.Host, Path: c.cfg.DiscoveredPath}
	back.RawQuery = url.Values{"state": {state}}.Encode()
	query := url.Values{"entityID": {c.cfg.SP.EntityID()}, "return": {back.String()}}
	if passive {
		query.Set("isPassive", "true")
	}
	separator := "?"
	if strings.Contains(c.cfg.DiscoveryURL, "?") {
		separator = "&"
	}
	return c.cfg.DiscoveryURL + separator + query.Encode()
}

// Discovered handles the GET with which a discovery service answers: the user has chosen an identity provider, and
// the sign-in goes on there. Region.Mount mounts it at Config.DiscoveredPath.
func (g *Region) Discovered(w http.ResponseWriter, r *http.Request) {
	c := g.consumerFor(r)
	if !c.onlyGet(w, r) || r.Method == http.MethodHead {
		return
	}
	o, q, err := c.takeDiscovery(w, r)
	if err != nil {
		c.notStarted(w, r, err)
		return
	}
	c.startLogin(w, r, o, q)
}

// takeDiscovery returns the options of the sign-in with the chosen identity provider.
func (c *Consumer) takeDiscovery(w http.ResponseWriter, r *http.Request) (o LoginOptions, q pendingRequest, err error) {
	if err := CheckNavigation(r); err != nil {
		return o, q, err
	}
	fields, err := formFields(r.URL.RawQuery, "state", "entityID")
	if err != nil {
		return o, q, err
	}
	id, pending := discoveryPrefix+fields["state"], pendingRequests(r)
	i := slices.IndexFunc(pending, func(q pendingRequest) bool { return q.id == id })
	if i < 0 {
		return o, q, newError(ReasonDiscovery, ruleDiscovery, "this browser has no such discovery pending")
	}
	raw, err := c.cfg.Store.Take(r.Context(), requestKey(id, pending[i].secret))
	switch {
	case errors.Is(err, ErrNotFound):
		deleteCookie(w, id)
		return o, q, newError(ReasonDiscovery, ruleDiscovery, "the discovery was answered before, or has expired")
	case err != nil:
		return o, q, storeError("take the discovery", err)
	}
	deleteCookie(w, id)
	var record discoveryRecord
	if err := record.decode(raw); err != nil {
		return o, q, storeError("decode the record of a discovery", errRecord)
	}
	c.clients.end(c.cfg.ClientAddr(r), record.At)
	if c.cfg.SP.Now().Sub(record.At) > c.cfg.RequestLifetime { // a store that rounds lifetimes up can still have it
		return o, q, newError(ReasonDiscovery, ruleDiscovery, "the discovery has expired")
	}
	if fields["entityID"] == "" {
		return o, q, newError(ReasonDiscovery, ruleDiscovery, "no identity provider was chosen")
	}
	record.Options.IdP = fields["entityID"]
	return record.Options, pendingRequest{by: pending[i].by, after: id}, nil
}
