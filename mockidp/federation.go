package mockidp

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"slices"
	"strings"
	"time"
)

// Bounds of a federation's documents.
const (
	maxEntities    = 50_000
	keptAggregates = 8        // documents with all entities: the good one and faulty ones, which share most bytes
	keptQueries    = 4096     // answers about one entity
	keptQueryBytes = 16 << 20 // of these answers
)

// Federation describes the metadata that the Server publishes as a federation does: one signed document with all
// identity providers, and a metadata query service (draft-young-md-query) with one signed document for each.
//
// The identity providers are the SAML apps of the Server and of its tenants, with which one can sign in, and generated
// ones, which only have metadata. They have UIInfo, shibmd:Scope, entity attributes and RegistrationInfo. The scopes
// of an app are the domains of its users' email addresses.
type Federation struct {
	// Name is the Name of the document, the publisher and the registration authority, usually a URI. Zero:
	// "https://federation.example".
	Name string
	// Entities is how many identity providers are generated, at most 50,000; 10,000 take 30 MB of memory once the
	// document was requested. Every 2nd supports the category Research and Scholarship, every 3rd has Sirtfi, every 4th
	// a logo, every 5th comes from another registration authority, every 7th has a scope that is a regular expression,
	// and every 10th asks to be hidden from discovery. Zero: none.
	Entities int
	// Key signs the documents, as Config.Key does answers. Zero: a new RSA key, made when it is first used.
	Key crypto.Signer
	// Certificate is the certificate of Key. Zero: a self-signed one for ten years.
	Certificate *x509.Certificate
	// Validity is the time from publication to validUntil. Zero: 7 days; negative: documents have no validUntil.
	Validity time.Duration
	// CacheDuration is the cacheDuration. After it, documents are published again, with new times. Zero: 1 h; negative:
	// documents have no cacheDuration, and are published again after 1 h.
	CacheDuration time.Duration
}

func (f Federation) withDefaults() Federation {
	f.Name = cmp.Or(f.Name, "https://federation.example")
	f.Validity = cmp.Or(f.Validity, 7*24*time.Hour)
	f.CacheDuration = cmp.Or(f.CacheDuration, time.Hour)
	return f
}

func (f Federation) check() *Error {
	switch {
	case f.Entities < 0 || f.Entities > maxEntities:
		return badConfig("Federation.Entities must be 0 to %d, got %d", maxEntities, f.Entities)
	case f.Certificate != nil && f.Key == nil:
		return badConfig("Federation.Certificate without Federation.Key")
	case f.Validity > 0 && f.Validity < time.Minute, f.CacheDuration > 0 && f.CacheDuration < time.Second:
		return badConfig("Federation.Validity must be at least 1m, and CacheDuration 1s, got %v and %v", f.Validity,
			f.CacheDuration)
	}
	return checkText("Federation.Name", f.Name)
}

// FederationURL returns the address of the document with all entities of the federation (see Config.Federation).
// A tenant returns that of its Server, as the other methods about the federation do.
func (s *Server) FederationURL() string { return s.listening().base() + pathFederation }

// FederationQueryURL returns the base URL of the metadata query service, with a slash at its end: the document about an
// entity is at entities/ID below it, with the percent-encoded entity ID or "{sha1}" and its SHA-1 in hexadecimal.
func (s *Server) FederationQueryURL() string { return s.listening().base() + pathQuery }

// FederationCertificateURL returns the address of FederationCertificate in PEM.
func (s *Server) FederationCertificateURL() string { return s.listening().base() + pathFederationKey }

// FederationCertificate returns the certificate of the key that signs the federation's documents. Without
// Config.Federation.Key, no identity provider has that key.
func (s *Server) FederationCertificate() *x509.Certificate {
	k, err := s.listening().federation.signer(s.listening(), goodKey)
	if err != nil {
		panic(err) // Open checked the key
	}
	return k.key.cert
}

// FederationEntityIDs returns the entity IDs of the federation in the order of its document: first the apps of the
// Server, then those of each tenant by name, then the generated ones. It panics before the address is known.
func (s *Server) FederationEntityIDs() []string {
	root := s.listening()
	own, err := root.ownEntities(root.members())
	if err != nil {
		panic(err)
	}
	var out []string
	for _, e := range own {
		out = append(out, e.id)
	}
	for i := range root.config.Federation.Entities {
		out = append(out, generatedID(i))
	}
	return out
}

// FederationMetadata returns the document at FederationURL: an EntitiesDescriptor, signed at its root. It is nil if
// the federation has no entity. It panics before the address is known.
func (s *Server) FederationMetadata() []byte {
	root := s.listening()
	d, err := root.federation.document(root, wanted{})
	if err != nil {
		panic(err)
	}
	if d == nil {
		return nil
	}
	return bytes.Join(d.parts, nil)
}

// member is an identity provider of the process, and its state at one moment.
type member struct {
	server *Server
	state  *state
}

// members returns the Server and its tenants.
func (s *Server) members() []member {
	out := []member{{s, s.state.Load()}}
	for _, t := range s.Tenants() {
		out = append(out, member{t, t.state.Load()})
	}
	return out
}

// firstOfEach removes entities whose ID an earlier one has.
func firstOfEach(list []entity) []entity {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(e entity) bool {
		dup := seen[e.id]
		seen[e.id] = true
		return dup
	})
}

// domains returns the domains of email addresses, sorted, at most a few.
func domains(users map[string]*User) []string {
	var out []string
	for _, u := range users {
		_, domain, _ := strings.Cut(cmp.Or(u.Email, u.Login), "@")
		if domain = strings.ToLower(domain); domain != "" && hostName.MatchString(domain) {
			out = append(out, domain)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), maxScopes)]
}
