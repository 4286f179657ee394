import assert from "assert";

// The package is Node.js's own assertions for browsers.
export default assert.strict;
