package scim_test

import (
	"fmt"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/center"
)

// allocated returns the number of bytes that a request allocates, and its response.
func (r *rig) allocated(method, path, body string) (cost int, out *httptest.ResponseRecorder) {
	req := request(method, path, body)
	out = httptest.NewRecorder()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r.ServeHTTP(out, req)
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc), out
}

// A body allocates memory in proportion to its size, whatever it lists.
func TestBodyAllocations(t *testing.T) {
	const size = 2 << 20
	fill := func(begin, one, end string) string {
		return begin + strings.TrimSuffix(strings.Repeat(one, (size-len(begin)-len(end))/len(one)), ",") + end
	}
	fields := make([]string, 1000)
	for i := range fields {
		fields[i] = fmt.Sprintf(`"%x":1`, i)
	}
	object := "{" + strings.Join(fields, ",") + "}"
	r := newRig(t, seed(), "us-east-1")
	for name, c := range map[string][3]string{
		"one long text":      {"POST", "/Users", fill(`{"userName":"a@example.com","title":"`, "x", `"}`)},
		"primary of objects": {"POST", "/Users", fill(`{"userName":"b@example.com","emails":[{"primary":[`, `{},`, `]}]}`)},
		"primary of numbers": {"POST", "/Users", fill(`{"userName":"c@example.com","emails":[{"primary":[`, `0,`, `]}]}`)},
		"schemas":            {"POST", "/Users", fill(`{"schemas":[`, `"",`, `],"userName":"d@example.com"}`)},
		"attributes":         {"PATCH", "/Users/u-1", fill(`{"Operations":[`, `{"op":"add","value":`+object+`},`, `]}`)},
		"names": {"PATCH", "/Users/u-1", fill(`{"Operations":[`,
			`{"op":"add","path":"name","value":`+object+`},`, `]}`)},
	} {
		cost, out := r.allocated(c[0], c[1], c[2])
		assert.Less(t, cost, 25*len(c[2]), "%s: %s", name, out.Body)
	}
}

// Each group of a page may have all users as members.
func TestMemberAllocations(t *testing.T) {
	d := center.Data{Regions: []center.Region{{Name: "us-east-1"}}}
	var members []string
	for i := range 1000 {
		members = append(members, fmt.Sprintf("u-%d", i))
		d.Users = append(d.Users, center.User{ID: members[i], UserName: fmt.Sprintf("user%d@example.com", i), Inactive: true})
	}
	for i := range 20 {
		d.Groups = append(d.Groups, center.Group{Name: fmt.Sprintf("Group %d", i), Members: members})
	}
	r := newRig(t, d, "us-east-1")
	for _, query := range []string{"", "?attributes=members.value"} {
		shown := 0
		each := testing.AllocsPerRun(1, func() {
			out := httptest.NewRecorder()
			r.ServeHTTP(out, request("GET", "/Groups"+query, ""))
			shown = strings.Count(out.Body.String(), `"value"`)
		}) / 20_000
		assert.Equal(t, 20_000, shown)
		assert.Less(t, each, 3.0, "%q: allocations per member", query)
	}
}

// A search by an attribute that has an index, and a change, cost what they find and change: ten times the users don't
// make them dearer. A scan of 20,000 users would allocate megabytes.
func TestSearchesAndChangesCostWhatTheyTouch(t *testing.T) {
	r := newRig(t, company(20_000, 1_000), "us-east-1")
	patch := func(attr, value string) string {
		return fmt.Sprintf(`{"Operations":[{"op":"replace","path":"%s","value":"%s"}]}`, attr, value)
	}
	work := `[{"value":"user1@example.com","type":"work"}]`
	for _, c := range [][3]string{
		{"GET", "/Users?" + filter(`userName eq "USER42@example.com"`), ""},
		{"GET", "/Users?" + filter(`userName eq "user42@example.com" and active eq true`), ""},
		{"GET", "/Users?" + filter(`userName eq "user42@example.com" or externalId eq "00u7"`), ""},
		{"GET", "/Users?" + filter(`externalId eq "00u42"`), ""},
		{"GET", "/Users?" + filter(`id eq "u-42"`), ""},
		{"GET", "/Users?" + filter(`emails.value eq "User42@example.com"`), ""},
		{"GET", "/Users?" + filter(`emails[type eq "work"].value eq "user42@example.com"`), ""},
		{"GET", "/Groups?" + filter(`displayName eq "group 42"`), ""},
		{"GET", "/Groups?" + filter(`members.value eq "u-42"`), ""},
		{"GET", "/Groups?" + filter(`members[value eq "u-42"]`), ""},
		{"PATCH", "/Users/u-42", patch("userName", "other@example.com")},
		{"PATCH", "/Users/u-42", patch("externalId", "other")},
		{"PATCH", "/Users/u-42", patch(`emails[type eq \"work\"].value`, "other@example.com")},
		{"PATCH", "/Groups/g-42", patch("displayName", "Other")},
		{"POST", "/Users", `{"userName":"new@example.com","externalId":"new","emails":` + work + `}`},
		{"POST", "/Groups", `{"displayName":"New","externalId":"new","members":[{"value":"u-1"}]}`},
		{"PUT", "/Users/u-43", `{"userName":"put@example.com","externalId":"put","emails":` + work + `}`},
		{"DELETE", "/Users/u-44", ""},
	} {
		cost, out := r.allocated(c[0], c[1], c[2])
		assert.Less(t, out.Code, 300, "%v: %s", c, out.Body)
		assert.Less(t, cost, 192<<10, "%v", c)
		if c[0] == "GET" {
			assert.Regexp(t, `"totalResults":[12][,}]`, out.Body, "%v", c)
		}
	}
	for _, refused := range []string{`{"userName":"USER50@example.com"}`, `{"userName":"new2","externalId":"00u50"}`} {
		cost, out := r.allocated("POST", "/Users", refused)
		assert.Equal(t, 409, out.Code, "%s", out.Body)
		assert.Less(t, cost, 192<<10, refused)
	}
	// A page keeps what is on it, and the pages of a list don't read those before.
	r.allocated("GET", "/Users?startIndex=1", "")
	cost, out := r.allocated("GET", "/Users?startIndex=19001", "")
	assert.Contains(t, out.Body.String(), `"itemsPerPage":100`)
	assert.Less(t, cost, 1<<20)
}
