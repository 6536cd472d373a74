package portal

import (
	"iter"
	"net/http"
	"net/http/httptest"

	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// AuthorizationKey returns the key of an authorization in the store.
func AuthorizationKey(secret string) string { return authorizationKey(secret) }

// AccessKeys returns the configuration for a role, or "".
func AccessKeys(start, set, account string) string {
	p := Portal{cfg: Config{Region: "us-east-1"}}
	if k := p.accessKeys(start, center.Account{ID: account}, center.PermissionSet{Name: set}); k != nil {
		return k.Config
	}
	return ""
}

// TagsOf returns the attributes for access control.
func TagsOf(attributes []saml.Attribute) (map[string]string, error) {
	tags, refused := tagsOf(attributes)
	if refused != nil {
		return nil, refused
	}
	return tags, nil
}

// TrySamples executes the portal's templates with their samples, and returns those without.
func (p *Portal) TrySamples() (missing []string, err error) {
	samples := p.samples()
	for name := range p.templates.builtIn {
		if len(samples[name]) == 0 {
			missing = append(missing, name)
		}
	}
	return missing, templates{own: p.templates.builtIn}.check(samples)
}

// Samples returns the portal's templates executed with their samples, in English and German, and its static files.
func (p *Portal) Samples() map[string]string {
	german := httptest.NewRequest(http.MethodGet, "/", nil)
	german.Header.Set("Accept-Language", "de")
	out := map[string]string{}
	for name, pages := range p.samples() {
		for _, pg := range pages {
			for _, pg.texts = range []*theme.Texts{p.theme.English(), p.theme.Texts(german)} {
				b, err := p.templates.execute(name, pg)
				if err != nil {
					panic(err)
				}
				out[name] += string(b)
			}
		}
	}
	for name, a := range p.assets {
		out[name] = string(a.data)
	}
	return out
}

// Explains reports whether pages have a text for a Reason.
func Explains(r center.Reason) bool {
	_, ok := textReasons[r]
	return ok
}

// Found is an account that Find finds, and the permission sets that it names.
type Found struct {
	ID     string
	ByName bool
	Sets   []string
}

// Find returns what a query finds.
func Find(query string, all []center.AccountSets) (out []Found) {
	for _, h := range newQuery(query).accounts(all) {
		out = append(out, Found{h.Account.ID, h.ByName, h.Found})
	}
	return out
}

// MaxLooked is how many users a search looks at.
const MaxLooked = maxLooked

// LookAt returns the IDs of the users whom a query finds in a list, and where the search goes on.
func LookAt(query string, users iter.Seq[center.User]) (ids []string, next string) {
	found := newQuery(query).look(users, nil, true)
	for _, u := range found.Users {
		ids = append(ids, u.ID)
	}
	return ids, found.Next
}

// FindPeople returns the IDs of the users whom a query finds from an ID on, and where the search goes on.
func FindPeople(query string, s *center.Snapshot, from string) (ids []string, next string) {
	found := newQuery(query).people(s, from)
	for _, u := range found.Users {
		ids = append(ids, u.ID)
	}
	return ids, found.Next
}

// FindApplications returns the names of the applications that a query finds.
func FindApplications(query string, all []center.Application) (out []string) {
	for _, a := range newQuery(query).applications(all) {
		out = append(out, a.Name)
	}
	return out
}

// QueryText returns what of a query is used.
func QueryText(query string) string { return newQuery(query).Text }

// ReadUserAgent returns the names of a browser and its system.
func ReadUserAgent(header string) (browser, system string) { return readUserAgent(header) }

// Vouch and Vouched are what the portal's host tells the consumer's host.
func (p *Portal) Vouch(r *http.Request, state string) string { return p.vouch(r, state) }

// Vouched returns the request with the initiator that was vouched for.
func (p *Portal) Vouched(r *http.Request, state string) *http.Request { return p.vouched(r, state) }
