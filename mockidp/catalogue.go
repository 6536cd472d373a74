package mockidp

import "slices"

// IdentityCenter is the form of the catalogue app "AWS IAM Identity Center",
// as Okta's administrators fill it in. The field's names on that form are:
type IdentityCenter struct {
	ACSURL    string     // "AWS SSO ACS URL": the default, and the first of the list
	ACSURLs   [17]string // "AWS SSO ACS URL1" to "AWS SSO ACS URL17"; empty ones are left out
	IssuerURL string     // "AWS SSO issuer URL": the Audience
}

// IdentityCenterName is the catalogue app's part of the sign-on path.
const IdentityCenterName = "amazon_aws_sso"

// list is the form as an ACS list. The form has no indexes; each URL has its
// field's number, the default 0, so that filling in a field moves no other.
func (f *IdentityCenter) list() []ACS {
	var out []ACS
	for i, u := range slices.Concat([]string{f.ACSURL}, f.ACSURLs[:]) {
		if u != "" {
			n := uint16(i)
			out = append(out, ACS{URL: u, Index: &n})
		}
	}
	return out
}

// fill writes a list into the form, as an administrator would: the first into
// "AWS SSO ACS URL", the others into the numbered fields. Indexes are lost.
func (f *IdentityCenter) fill(list []ACS) error {
	if len(list) > 1+len(f.ACSURLs) {
		return badConfig("the form of AWS IAM Identity Center has room for %d URLs, not for %d", 1+len(f.ACSURLs), len(list))
	}
	f.ACSURL, f.ACSURLs = "", [17]string{}
	for i, x := range list {
		if i == 0 {
			f.ACSURL = x.URL
		} else {
			f.ACSURLs[i-1] = x.URL
		}
	}
	return nil
}

// setACS replaces an app's list, wherever the app keeps it.
func (a *App) setACS(list []ACS) error {
	if a.IdentityCenter != nil {
		return a.IdentityCenter.fill(list)
	}
	a.ACS = slices.Clone(list)
	return nil
}

// preparedCatalogue takes the form over into the fields that everything reads.
func (a App) preparedCatalogue() (App, *Error) {
	f := a.IdentityCenter
	if f == nil {
		return a, nil
	}
	if a.Profile != Okta {
		return App{}, badConfig("app %s: the form IdentityCenter is Okta's", quote(a.Label))
	}
	if f.ACSURL == "" && f.ACSURLs != [17]string{} {
		return App{}, badConfig("app %s: AWS SSO ACS URL is empty and a numbered one isn't: the default would be missing", quote(a.Label))
	}
	a.ACS, a.Audience = f.list(), f.IssuerURL
	return a, nil
}
