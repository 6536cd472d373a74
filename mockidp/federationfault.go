package mockidp

import (
	"net/url"
	"slices"
)

// The kinds of faults in the metadata of the federation. Delay, DropConnection and ServerError affect it too if
// Fault.Endpoint says where.
const (
	MetadataSlow        FaultKind = "metadata-slow"         // the body takes Fault.For; zero: one byte a second
	MetadataCut         FaultKind = "metadata-cut"          // half of the document, as if it were all
	MetadataAbort       FaultKind = "metadata-abort"        // the connection is closed in the middle of the body
	MetadataEndless     FaultKind = "metadata-endless"      // entities without end
	MetadataBomb        FaultKind = "metadata-bomb"         // 256 MiB of blanks, compressed to 256 KiB
	MetadataHTML        FaultKind = "metadata-html"         // an HTML page with status 200
	MetadataEmpty       FaultKind = "metadata-empty"        // no body, with status 200
	MetadataRedirect    FaultKind = "metadata-redirect"     // a redirect to Fault.URL; zero: to the same address
	MetadataNotModified FaultKind = "metadata-not-modified" // status 304, whatever the client has
	MetadataSameETag    FaultKind = "metadata-same-etag"    // one ETag for all documents, present and future

	// MetadataOld and the kinds below it are signed by the federation's key, unless they say otherwise.
	MetadataOld          FaultKind = "metadata-old"            // published half of the validity earlier
	MetadataExpired      FaultKind = "metadata-expired"        // its validUntil passed a day ago
	MetadataNoValidUntil FaultKind = "metadata-no-valid-until" // no validUntil
	MetadataLongValidity FaultKind = "metadata-long-validity"  // validUntil is in 30 years
	MetadataUnsigned     FaultKind = "metadata-unsigned"       // no signature
	MetadataTampered     FaultKind = "metadata-tampered"       // changed after it was signed
	MetadataOtherKey     FaultKind = "metadata-other-key"      // signed with another key, which is in its KeyInfo
	MetadataIdPKey       FaultKind = "metadata-idp-key"        // signed with the key of the Server's apps

	// MetadataBroken and MetadataDuplicate affect Fault.Entity in the document with all entities.
	MetadataBroken    FaultKind = "metadata-broken"    // an entity has a certificate that can't be parsed
	MetadataDuplicate FaultKind = "metadata-duplicate" // an entity is there twice, with different keys

	// MetadataOtherEntity and MetadataGroup affect queries only.
	MetadataOtherEntity FaultKind = "metadata-other-entity" // the document is about another entity
	MetadataGroup       FaultKind = "metadata-group"        // an EntitiesDescriptor with the entity
)

var metadataFaultKinds = []FaultKind{MetadataSlow, MetadataCut, MetadataAbort, MetadataEndless, MetadataBomb,
	MetadataHTML, MetadataEmpty, MetadataRedirect, MetadataNotModified, MetadataSameETag, MetadataOld, MetadataExpired,
	MetadataNoValidUntil, MetadataLongValidity, MetadataUnsigned, MetadataTampered, MetadataOtherKey, MetadataIdPKey,
	MetadataBroken, MetadataDuplicate, MetadataOtherEntity, MetadataGroup}

// Endpoint is where a fault is in force.
type Endpoint string

// The endpoints.
const (
	EndpointAggregate Endpoint = "aggregate" // the document with all entities, at FederationURL and in the query service
	EndpointQuery     Endpoint = "query"     // the query service's documents about one entity
)

// endpointOf returns the only endpoint that a kind can affect, or "".
func endpointOf(kind FaultKind) Endpoint {
	switch kind {
	case MetadataDuplicate:
		return EndpointAggregate
	case MetadataOtherEntity, MetadataGroup:
		return EndpointQuery
	}
	return ""
}

// ofFederation reports whether f affects the federation, and not the answers of apps.
func (f Fault) ofFederation() bool {
	return f.Endpoint != "" && !slices.Contains(soapEndpoints, f.Endpoint) || slices.Contains(metadataFaultKinds, f.Kind)
}

func (f Fault) checkFederation() *Error {
	only := endpointOf(f.Kind)
	switch {
	case f.Endpoint != "" && f.Endpoint != EndpointAggregate && f.Endpoint != EndpointQuery:
		return mismatch(ReasonConfig, "aggregate, query, logout, artifact or attributes", string(f.Endpoint),
			"unknown Fault.Endpoint")
	case f.Endpoint != "" && only != "" && f.Endpoint != only:
		return badConfig("Fault.Endpoint of the kind %s must be %s", quote(string(f.Kind)), only)
	case f.Endpoint != "" && !f.ofMetadata():
		return badConfig("Fault.Endpoint isn't for the kind %s", quote(string(f.Kind)))
	case f.ofFederation() && f.App != "":
		return badConfig("Fault.App isn't for the federation; Fault.Entity is")
	case !f.ofFederation() && f.Entity != "":
		return badConfig("Fault.Entity is for the federation")
	case f.Kind == MetadataSlow && f.For < 0:
		return badConfig("Fault.For of a slow document must not be negative, got %v", f.For)
	}
	if err := f.checkURL(); err != nil {
		return err
	}
	return checkText("Fault.Entity", f.Entity)
}

func (f Fault) checkURL() *Error {
	if f.URL == "" {
		return nil
	}
	if f.Kind != MetadataRedirect && f.Kind != SOAPRedirect {
		return badConfig("Fault.URL is for the kinds %s and %s", quote(string(MetadataRedirect)), quote(string(SOAPRedirect)))
	}
	if u, err := url.Parse(f.URL); err != nil || u.Scheme == "" || len(f.URL) > maxRelayState {
		return mismatch(ReasonConfig, "an absolute URL", f.URL, "Fault.URL")
	}
	return nil
}

// ofMetadata reports whether a fault can affect metadata.
func (f Fault) ofMetadata() bool {
	return slices.Contains(append([]FaultKind{Delay, DropConnection, ServerError}, metadataFaultKinds...), f.Kind)
}

// takeFederationFaults returns the faults of the next document, and decrements their counts. entityID is "" for the
// document with all entities.
func (s *Server) takeFederationFaults(at Endpoint, entityID string) []Fault {
	return s.takeFaultsOf(func(f Fault) bool {
		only := endpointOf(f.Kind)
		if !f.ofFederation() || f.Endpoint != "" && f.Endpoint != at || only != "" && only != at {
			return false
		}
		inside := at == EndpointAggregate && (f.Kind == MetadataBroken || f.Kind == MetadataDuplicate)
		return f.Entity == "" || f.Entity == entityID || inside
	})
}

func has(list []Fault, kind FaultKind) bool {
	return slices.ContainsFunc(list, func(f Fault) bool { return f.Kind == kind })
}

func kindsOf(list []Fault) []FaultKind {
	var out []FaultKind
	for _, f := range list {
		out = append(out, f.Kind)
	}
	return out
}

// changes makes a document one with the fault.
func (f Fault) changes(w *wanted) {
	entity := f.Entity
	if entity == "" {
		entity = lastEntity
	}
	switch f.Kind {
	case MetadataOld:
		w.old = true
	case MetadataExpired:
		w.expired = true
	case MetadataNoValidUntil:
		w.noValidUntil = true
	case MetadataLongValidity:
		w.longValidity = true
	case MetadataUnsigned:
		w.unsigned = true
	case MetadataTampered:
		w.tampered = true
	case MetadataOtherKey:
		w.key = otherKey
	case MetadataIdPKey:
		w.key = idpKey
	case MetadataGroup:
		w.group = true
	case MetadataDuplicate:
		w.duplicate = entity
	case MetadataBroken:
		w.broken = entity
		if w.entity != "" {
			w.broken = w.entity
		}
	}
}
