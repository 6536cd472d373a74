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

var errToken = &apiError{Status: http.StatusUnauthorized, Code: "E0000011", Summary: "Invalid token provided"}

func (e *apiError) write(w http.ResponseWriter, id string) {
	type cause struct {
		Summary string `json:"errorSummary"`
	}
	causes := []cause{}
	for _, c := range e.Causes {
		causes = append(causes, cause{c})
	}
	b, err := json.Marshal(map[string]any{
		"errorCode": e.Code, "errorSummary": e.Summary, "errorLink": e.Code, "errorId": id, "errorCauses": causes,
	})
	if err != nil {
		b = []byte(`{}`) // it holds nothing but strings
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	_, _ = w.Write(b)
}

func notFound(id, kind string) *apiError {
	return &apiError{Status: http.StatusNotFound, Code: "E0000007", Summary: "Not found: Resource not found: " + cut(id) + " (" + kind + ")"}
}

// invalid is Okta's validation error: about names the field, or the object.
func invalid(about, why string) *apiError {
	return &apiError{Status: http.StatusBadRequest, Code: "E0000001", Summary: "Api validation failed: " + about, Causes: []string{about + ": " + why}}
}

func badBody(err error) *apiError {
	return &apiError{Status: http.StatusBadRequest, Code: "E0000003", Summary: "The request body was not well-formed.", Causes: []string{cut(err.Error())}}
}

func badSearch(why string) *apiError {
	return &apiError{Status: http.StatusBadRequest, Code: "E0000031", Summary: "Invalid search criteria.", Causes: []string{why}}
}

func internal(why string) *apiError {
	return &apiError{Status: http.StatusInternalServerError, Code: "E0000009", Summary: "Internal Server Error", Causes: []string{why}}
}

func wrongStatus(why string) *apiError {
	return &apiError{Status: http.StatusForbidden, Code: "E0000038", Summary: "This operation is not allowed in the user's current status.", Causes: []string{why}}
}

// fromError tells what a method of the Server refused, in Okta's terms.
func fromError(err error, about string) *apiError {
	if err == nil {
		return nil
	}
	var api *apiError
	if errors.As(err, &api) {
		return api
	}
	var e *mockidp.Error
	if !errors.As(err, &e) {
		return internal(cut(err.Error()))
	}
	text := strings.TrimPrefix(e.Error(), "mockidp: ")
	missing := func(kind string) *apiError {
		api := notFound(about, kind)
		api.Causes = []string{text} // which says what was looked for, where about is a field
		return api
	}
	switch e.Reason {
	case mockidp.ReasonNoSuchApp:
		return missing("AppInstance")
	case mockidp.ReasonNoSuchUser:
		return missing("User")
	case mockidp.ReasonNoSuchGroup:
		return missing("UserGroup")
	case mockidp.ReasonNoSuchKey, mockidp.ReasonNoSuchMessage:
		return missing(strings.TrimPrefix(string(e.Reason), "NoSuch"))
	case mockidp.ReasonInternal:
		return internal(text)
	}
	return invalid(about, text)
}

// Error lets a change be refused from within mockidp.Server.Update.
func (e *apiError) Error() string { return "oktaapi: " + e.Code + ": " + e.Summary }

func quote(s string) string { return strconv.Quote(cut(s)) }

// cut keeps a client's value from filling a log line or a page.
func cut(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
