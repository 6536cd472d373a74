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

var errToken = &apiError{Status: http.StatusUnauthorized, Code: "E0000011", Summary: "Invalid token provided"}

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
	return &apiError{Status: http.StatusNotFound, Code: "E0000007",
		Summary: "Not found: Resource not found: " + cut(id) + " (" + kind + ")"}
}

// invalid is Okta's validation error; about names the field or the object.
func invalid(about, why string) *apiError {
	return &apiError{Status: http.StatusBadRequest, Code: "E0000001", Summary: "Api validation failed: " + about,
		Causes: []string{about + ": " + why}}
}

func badBody(err error) *apiError {
	return &apiError{Status: http.StatusBadRequest, Code: "E0000003", Summary: "The request body was not well-formed.",
		Causes: []string{cut(err.Error())}}
}

func badSearch(why string) *apiError {
	return &apiError{Status: http.StatusBadRequest, Code: "E0000031", Summary: "Invalid search criteria.",
		Causes: []string{why}}
}

func internal(why string) *apiError {
	return &apiError{Status: http.StatusInternalServerError, Code: "E0000009", Summary: "Internal Server Error",
		Causes: []string{why}}
}

func forbidden(code, summary string, causes ...string) *apiError {
	return &apiError{Status: http.StatusForbidden, Code: code, Summary: summary, Causes: causes}
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
	switch e.Reason {
	case mockidp.ReasonNoSuchApp:
		api = notFound(about, "AppInstance")
	case mockidp.ReasonNoSuchUser:
		api = notFound(about, "User")
	case mockidp.ReasonNoSuchGroup:
		api = notFound(about, "UserGroup")
	case mockidp.ReasonNoSuchKey, mockidp.ReasonNoSuchMessage:
		api = notFound(about, strings.TrimPrefix(string(e.Reason), "NoSuch"))
	case mockidp.ReasonInternal:
		return internal(text)
	default:
		return invalid(about, text)
	}
	api.Causes = []string{text} // it names the ID where about is a field
	return api
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
