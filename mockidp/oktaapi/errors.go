package oktaapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

// apiError is an error in the shape of Okta's API.
type apiError struct {
	Status  int
	Code    string // Okta's
	Summary string
	Causes  []string
}

// Error implements error, so that a function in mockidp.Server.Update can return one.
func (e *apiError) Error() string { return "oktaapi: " + e.Code + ": " + e.Summary }

var errToken = refuse(http.StatusUnauthorized, "E0000011", "Invalid token provided")

func refuse(status int, code, summary string, causes ...string) *apiError {
	return &apiError{status, code, summary, causes}
}

func (e *apiError) write(w http.ResponseWriter, id string) {
	causes := shown(e.Causes, func(c string) object { return object{"errorSummary": c} })
	b, _ := json.Marshal(object{ // strings can't fail
		"errorCode": e.Code, "errorSummary": e.Summary, "errorLink": e.Code, "errorId": id, "errorCauses": causes,
	})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	_, _ = w.Write(b)
}

func notFound(id, kind string) *apiError {
	return refuse(http.StatusNotFound, "E0000007", "Not found: Resource not found: "+cut(id)+" ("+kind+")")
}

// invalid is Okta's validation error; about names the field or the object.
func invalid(about, why string) *apiError {
	return refuse(http.StatusBadRequest, "E0000001", "Api validation failed: "+about, about+": "+why)
}

func badSearch(why string) *apiError {
	return refuse(http.StatusBadRequest, "E0000031", "Invalid search criteria.", why)
}

func internal(why string) *apiError {
	return refuse(http.StatusInternalServerError, "E0000009", "Internal Server Error", why)
}

// kinds holds Okta's kind of resource for each Reason that one is missing.
var kinds = map[mockidp.Reason]string{
	mockidp.ReasonNoSuchApp: "AppInstance", mockidp.ReasonNoSuchUser: "User", mockidp.ReasonNoSuchGroup: "UserGroup",
	mockidp.ReasonNoSuchKey: "Key", mockidp.ReasonNoSuchMessage: "Message",
	mockidp.ReasonNoSuchTenant: "Tenant",
}

// fromError converts an error of the Server; about names the field or the object.
func fromError(err error, about string) *apiError {
	var api *apiError
	if errors.As(err, &api) {
		return api
	}
	var e *mockidp.Error
	if !errors.As(err, &e) {
		return internal(cut(err.Error()))
	}
	text := strings.TrimPrefix(e.Error(), "mockidp: ")
	if kind, ok := kinds[e.Reason]; ok {
		api = notFound(about, kind)
		api.Causes = []string{text} // it names the ID where about is a field
		return api
	}
	switch e.Reason {
	case mockidp.ReasonInternal:
		return internal(text)
	case mockidp.ReasonTooManyTenants:
		return refuse(http.StatusServiceUnavailable, "E0000010", "Service is in read only mode", text)
	}
	return invalid(about, text)
}

func quote(s string) string { return strconv.Quote(cut(s)) }

// cut shortens a client's value for a log line or a page.
func cut(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
