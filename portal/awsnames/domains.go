package awsnames

import (
	"regexp"
	"slices"
	"strings"
)

// Use is what a host is for.
type Use string

// The uses, with the names that pages show.
const (
	UsePortal         Use = "Access portal"
	UseSignIn         Use = "Sign-in (ACS)"
	UseCommandLine    Use = "AWS CLI and SDKs"
	UseAdministration Use = "Administration API"
	UseProvisioning   Use = "Provisioning (SCIM)"
)

// Family is how a host can be reached.
type Family string

// The families, with the names that pages show.
const (
	IPv4      Family = "IPv4"
	DualStack Family = "Dual-stack (IPv4 and IPv6)"
)

// Domain is a kind of host that networks with an allow-list must allow.
type Domain struct {
	// Pattern is the host's name. {region}, {instance}, {store} and {alias} stand for the Region, and for InstanceID,
	// IdentityStoreID and Alias of an Instance.
	Pattern string
	Use     Use
	Family  Family
	// PrimaryOnly: an additional Region has no such host.
	PrimaryOnly bool
	legacy      bool // only with Instance.LegacyACS
}

// domains is the only list of the hosts of an instance. The addresses of PortalURLs and ACSURLs are made of it, in its
// order, and DOMAINS.md shows it.
var domains = []Domain{
	{"{instance}.{region}.portal.amazonaws.com", UsePortal, IPv4, false, false},
	{"{instance}.portal.{region}.app.aws", UsePortal, DualStack, false, false},
	{"{store}.awsapps.com", UsePortal, IPv4, true, false},
	{"{alias}.awsapps.com", UsePortal, IPv4, true, false},
	{"{region}.signin.aws", UseSignIn, IPv4, false, false},
	{"{region}.sso.signin.aws", UseSignIn, DualStack, false, false},
	{"{region}.signin.aws.amazon.com", UseSignIn, IPv4, true, true},
	{"oidc.{region}.amazonaws.com", UseCommandLine, IPv4, false, false},
	{"portal.sso.{region}.amazonaws.com", UseCommandLine, IPv4, false, false},
	{"sso.{region}.amazonaws.com", UseAdministration, IPv4, false, false},
	{"sso.{region}.api.aws", UseAdministration, DualStack, false, false},
	{"scim.{region}.amazonaws.com", UseProvisioning, IPv4, true, false},
}

// Domains returns the kinds of hosts of an instance.
func Domains() []Domain { return slices.Clone(domains) }

// DomainOf returns the kind of a host of AWS's, and false for any other host.
func DomainOf(host string) (Domain, bool) {
	host = strings.ToLower(host)
	i := slices.IndexFunc(domainForms, func(re *regexp.Regexp) bool { return re.MatchString(host) })
	if i < 0 {
		return Domain{}, false
	}
	return domains[i], true
}

// domainForms are the forms of domains, in the same order.
var domainForms = func() (out []*regexp.Regexp) {
	parts := strings.NewReplacer(`\{region\}`, `([a-z]+-){2,3}[0-9]`, `\{instance\}`, `ssoins-[a-z0-9-]+`,
		`\{store\}`, `d-[0-9a-f]{10}`, `\{alias\}`, `[a-z0-9-]+`)
	for _, d := range domains {
		out = append(out, regexp.MustCompile("^"+parts.Replace(regexp.QuoteMeta(d.Pattern))+"$"))
	}
	return out
}()

// Host is a host of an instance in one Region.
type Host struct {
	Name string
	Domain
}

// Hosts returns the hosts of a Region that networks with an allow-list must allow: those of its portal and sign-in, and
// those of AWS's clients. The identity provider's own come besides. Fields that are empty have no hosts. The error is
// an *Error.
func (i Instance) Hosts(region string) ([]Host, error) { return i.hosts(region, "") }

// hosts returns the hosts of one use, or with "" of all.
func (i Instance) hosts(region string, use Use) (out []Host, err error) {
	for _, d := range domains {
		if use != "" && d.Use != use {
			continue
		}
		name, err := i.host(d, region)
		if err != nil {
			return nil, err
		}
		if name != "" {
			out = append(out, Host{name, d})
		}
	}
	return out, nil
}

// host returns the name of a Region's host of one kind, or "" if it has none.
func (i Instance) host(d Domain, region string) (string, error) {
	if d.PrimaryOnly && region != i.Primary || d.legacy && !i.LegacyACS {
		return "", nil
	}
	name := d.Pattern
	for _, p := range []struct{ part, field, value string }{
		{"{region}", "Region", region}, {"{instance}", "Instance.InstanceID", i.InstanceID},
		{"{store}", "Instance.IdentityStoreID", i.IdentityStoreID}, {"{alias}", "Instance.Alias", i.Alias},
	} {
		if !strings.Contains(name, p.part) {
			continue
		}
		if p.value == "" {
			return "", nil
		}
		if err := i.check(region, p.field, p.value); err != nil {
			return "", err
		}
		name = strings.ReplaceAll(name, p.part, p.value)
	}
	return name, nil
}
