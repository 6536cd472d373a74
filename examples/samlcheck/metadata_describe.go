package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

// describe writes everything about an identity provider.
func (w *metadataText) describe(r *saml.EntityReport) {
	w.line("")
	if name := displayName(r); name != "" {
		w.line("%q (%q)", r.Description.EntityID, name)
	} else {
		w.line("%q", r.Description.EntityID)
	}
	if len(r.Problems) == 0 {
		w.line("ok    usable as an identity provider")
	}
	w.problems(r)
	for _, text := range r.Warnings {
		if !shown(r, text) {
			w.line("note  %s", text)
		}
	}
	w.lifetimes(r)
	for _, k := range r.Keys {
		w.key(newKeyJSON(k, w.o.now))
	}
	for _, e := range r.Endpoints {
		w.line("  endpoint        %q at %q%s", e.Binding, e.URL, ignored(e.Ignored))
	}
	for _, s := range r.Services {
		w.service(s)
	}
	if r.IdP != nil && r.IdP.WantAuthnRequestsSigned() {
		w.line("  requests        it wants them signed")
	}
	for _, a := range r.Algorithms {
		why := ""
		if !a.Usable {
			why = " (never used for requests)"
		}
		name := map[string]string{"SigningMethod": "signing method", "DigestMethod": "digest method"}[a.Element]
		w.line("  %-15s %q%s%s", name, a.URI, sizes(a), why)
	}
	for _, s := range r.Scopes {
		kind := ""
		if s.Pattern {
			kind = "pattern "
		}
		w.line("  scope           %s%q%s", kind, s.Scope, ignored(s.Ignored))
	}
	for _, f := range r.NameIDFormats {
		w.line("  NameID format   %q", f)
	}
	if at := r.Registration; at.Authority != "" {
		w.line("  registered by   %q %s", at.Authority, instantOrEmpty(at.Instant))
	}
	for _, a := range r.Attributes {
		w.line("  entity attribute %q = %q", a.Name, a.Values)
	}
	if url := r.Description.ErrorURL; url != "" {
		w.line("  error page      %q", url)
	}
	for _, c := range r.Description.Contacts {
		name := slices.DeleteFunc([]string{c.GivenName, c.Surname, c.Company}, func(s string) bool { return s == "" })
		w.line("  contact         %s: %q at %q", c.Type, strings.Join(name, " "), slices.Concat(c.Emails, c.TelephoneNumbers))
	}
}

// shown reports whether a warning stands beside what it is about.
func shown(r *saml.EntityReport, warning string) bool {
	says := func(why string) bool { return why != "" && strings.HasSuffix(warning, ": "+why) }
	return slices.ContainsFunc(r.Keys, func(k saml.KeyReport) bool { return slices.ContainsFunc(k.Ignored, says) }) ||
		slices.ContainsFunc(r.Endpoints, func(e saml.EndpointReport) bool { return says(e.Ignored) }) ||
		slices.ContainsFunc(r.Services, func(s saml.ServiceReport) bool { return says(s.Ignored) }) ||
		slices.ContainsFunc(r.Scopes, func(s saml.ScopeReport) bool { return says(s.Ignored) })
}

// lifetimes says what ends when.
func (w *metadataText) lifetimes(r *saml.EntityReport) {
	of := func(l saml.Lifetime) string {
		if l.Name != "" {
			return fmt.Sprintf("%s %q", l.Element, l.Name)
		}
		return l.Element
	}
	first := r.Ends
	if first.ValidUntil.IsZero() {
		w.line("  ends            never: there is no validUntil")
	} else {
		w.line("  ends            %s, by the validUntil of the %s", instant(first.ValidUntil), of(first))
	}
	for _, l := range r.Lifetimes {
		if !l.ValidUntil.IsZero() && l != first {
			w.line("                  the %s says %s", of(l), instant(l.ValidUntil))
		}
		if l.CacheDuration > 0 {
			w.line("  fetched again   after %s, by the cacheDuration of the %s", l.CacheDuration, of(l))
		}
	}
}

func (w *metadataText) key(k keyJSON) {
	state := "not used"
	switch {
	case k.Trusted:
		state = "verifies signatures"
	case k.Use == "encryption" && k.Type != "":
		state = "for messages to the identity provider"
	}
	use := cmp.Or(k.Use, "signing and encryption")
	if k.Type == "" {
		w.line("  key             %q: %s", use, state)
	} else {
		w.line("  key             %q, %s, %d bits: %s", use, k.Type, k.Bits, state)
		w.line("    key SHA-256   %s", k.SHA256)
	}
	if c := k.Certificate; c != nil {
		dates := ""
		if !c.InForce {
			dates = ", not in force now, which is not enforced (Metadata Interoperability 2.6.1)"
		}
		w.line("    certificate   %q, from %s to %s%s", c.Subject, c.NotBefore, c.NotAfter, dates)
		w.line("      SHA-256     %s", c.SHA256)
	}
	for _, text := range k.Ignored {
		w.line("    ignored       %s", text)
	}
	for _, a := range k.EncryptionMethods {
		why := ""
		if !a.Usable {
			why = " (not supported)"
		}
		w.line("    encryption    %q%s", a.URI, why)
	}
}

// service writes an address for other messages than requests.
func (w *metadataText) service(s saml.ServiceReport) {
	name := map[string]string{
		"SingleLogoutService": "logout", "ArtifactResolutionService": "artifacts", "AttributeService": "attributes",
	}[s.Element]
	more := ""
	if s.Index != "" {
		more += fmt.Sprintf(", index %q", s.Index)
	}
	if s.ResponseURL != "" {
		more += fmt.Sprintf(", answers to %q", s.ResponseURL)
	}
	w.line("  %-15s %q at %q%s%s", name, s.Binding, s.URL, more, ignored(s.Ignored))
}

func ignored(why string) string {
	if why == "" {
		return ""
	}
	return " (not used: " + why + ")"
}

// sizes returns the bounds of the key of an algorithm.
func sizes(a saml.AlgorithmReport) string {
	var out []string
	if a.MinBits > 0 {
		out = append(out, fmt.Sprintf("from %d", a.MinBits))
	}
	if a.MaxBits > 0 {
		out = append(out, fmt.Sprintf("to %d", a.MaxBits))
	}
	if len(out) == 0 {
		return ""
	}
	return " with keys " + strings.Join(out, " ") + " bits"
}

// displayName returns a name of the identity provider, in English if there is one.
func displayName(r *saml.EntityReport) string {
	for _, name := range r.Description.Names {
		if name.Lang == "en" {
			return name.Text
		}
	}
	if len(r.Description.Names) > 0 {
		return r.Description.Names[0].Text
	}
	return ""
}
