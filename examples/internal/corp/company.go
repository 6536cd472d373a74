package corp

import (
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
)

// Payments is an account of the company, in which engineers have ReadOnly.
const Payments = "300000000014"

// What engineers have besides.
const (
	developer = "Developer"
	analyst   = "DataAnalyst"
	support   = "Support"
)

// company are further accounts, with the permission sets of the engineers in each.
var company = []struct {
	id, name string
	sets     []string
}{
	{"300000000001", "Backup", []string{ReadOnly}},
	{"300000000002", "Build", []string{developer, ReadOnly}},
	{"300000000003", "Checkout", []string{ReadOnly, support}},
	{"300000000004", "Checkout test", []string{developer, ReadOnly}},
	{"300000000005", "Customer portal", []string{ReadOnly, support}},
	{"300000000006", "Customer portal test", []string{developer, ReadOnly}},
	{"300000000007", "DNS", []string{ReadOnly}},
	{"300000000008", "Data lake", []string{analyst, ReadOnly}},
	{"300000000009", "Data lake test", []string{analyst, developer, ReadOnly}},
	{"300000000010", "Inventory", []string{ReadOnly, support}},
	{"300000000011", "Inventory test", []string{developer, ReadOnly}},
	{"300000000012", "Log archive", []string{ReadOnly}},
	{"300000000013", "Machine learning", []string{analyst, ReadOnly}},
	{Payments, "Payments", []string{ReadOnly, support}},
	{"300000000015", "Payments test", []string{developer, ReadOnly}},
	{"300000000016", "Reporting", []string{analyst, ReadOnly}},
	{"300000000017", "Security tooling", []string{ReadOnly}},
	{"300000000018", "Shared services", []string{ReadOnly}},
	{"300000000019", "Shipping", []string{ReadOnly, support}},
	{"300000000020", "Shipping test", []string{developer, ReadOnly}},
	{"300000000021", "Web site", []string{ReadOnly, support}},
	{"300000000022", "Web site test", []string{developer, ReadOnly}},
}

// Company returns Data with the accounts of a whole company, 24 in all, so that a portal has more than a page of them.
func Company(regions ...center.Region) center.Data {
	d := Data(regions...)
	d.PermissionSets = append(d.PermissionSets,
		center.PermissionSet{Name: developer, Description: "Deploy and debug", SessionDuration: 4 * time.Hour},
		center.PermissionSet{Name: analyst, Description: "Query the data", SessionDuration: 4 * time.Hour},
		center.PermissionSet{Name: support, Description: "Read logs, open support cases", SessionDuration: time.Hour})
	for _, a := range company {
		mail := strings.ToLower(strings.ReplaceAll(a.name, " ", "-")) + "@example.com"
		d.Accounts = append(d.Accounts, center.Account{ID: a.id, Name: a.name, Email: mail})
		for _, set := range a.sets {
			d.Assignments = append(d.Assignments,
				center.Assignment{Principal: center.GroupPrincipal(Engineers), AccountID: a.id, PermissionSet: set})
		}
	}
	return d
}
