/** As much of Node.js's process as the library uses: an environment that is empty. */
export default { env: {} };
