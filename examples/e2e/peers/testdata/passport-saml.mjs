// What the examples of @node-saml/passport-saml's README leave to the application: a server, sessions, people and a
// page. The comments "README: …" stand for the code blocks of the README.
import express from "express";
import session from "express-session";
// README: strategy

const app = express();
app.use(session({ secret: "a test", resave: false, saveUninitialized: true }));
app.use(passport.session());
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));

async function findUserByEmail(email) {
  return email && { email };
}

// README: login

// README: callback

// README: metadata

app.get("/", (req, res) => res.send(req.user ? `Hello, ${req.user.email}` : "Not signed in"));
app.listen(Number(process.argv[2]), "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${process.argv[2]}`));
