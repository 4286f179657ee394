# To be sourced. Finds where this machine's packages come from and adds that release's backports from the same place, so
# that no host is named here and a mirror stays the mirror.

# Prints the source of a release's backports, made of the first source in the files given that has the release's `main`;
# prints nothing if none has. Options such as signed-by are kept. A file named *.sources is in apt's deb822 format, any
# other has a source a line.
#   backports_of RELEASE FILE...
backports_of() {
  local release=$1 file found
  shift
  for file in "$@"; do
    [ -f "$file" ] || continue
    case "$file" in
      *.sources) found=$(deb822_backports "$release" "$file") ;;
      *) found=$(one_line_backports "$release" "$file") ;;
    esac
    if [ -n "$found" ]; then
      printf '%s\n' "$found"
      return
    fi
  done
}

# deb [signed-by=...] URI RELEASE main ...
one_line_backports() {
  awk -v release="$1" '
    $1 != "deb" { next }
    {
      sub(/[ \t]*#.*/, "")
      suite = 3 # the number of the word; options in brackets may have blanks in them
      if ($2 ~ /^\[/) {
        for (suite = 2; suite <= NF && $suite !~ /\]$/; suite++);
        suite += 2
      }
      if ($suite != release) next
      for (i = suite + 1; i <= NF; i++) if ($i == "main") { $suite = release "-backports"; print; exit }
    }' "$2"
}

# Stanzas of "Field: value", parted by empty lines; a value goes on in lines that begin with a blank.
deb822_backports() {
  awk -v release="$1" '
    function has(list, word,    words, n, i) {
      n = split(list, words, /[ \t\n]+/)
      for (i = 1; i <= n; i++) if (words[i] == word) return 1
      return 0
    }
    function finish() {
      if (has(values["types"], "deb") && has(values["suites"], release) && has(values["components"], "main") &&
          !has(values["enabled"], "no")) {
        printf "%s", text
        done = 1
        exit
      }
      split("", values); text = field = ""
    }
    /^#/ { next }
    /^[ \t]*$/ { finish(); next }
    /^[^ \t]/ {
      field = tolower(substr($0, 1, index($0, ":") - 1))
      values[field] = substr($0, index($0, ":") + 1)
      if (field == "suites") $0 = substr($0, 1, index($0, ":")) " " release "-backports"
      text = text $0 "\n"
      next
    }
    { values[field] = values[field] "\n" $0; if (field != "suites") text = text $0 "\n" }
    END { if (!done) finish() }' "$2"
}

# Makes sure that apt knows a release's backports. Fails if it does not and no source tells where they would be.
#   add_backports RELEASE [FOLDER of apt, /etc/apt by default]
add_backports() {
  local release=$1 apt=${2:-/etc/apt} source
  if grep -rqsE "^[^#]*$release-backports" "$apt/sources.list" "$apt/sources.list.d"; then return; fi
  # The files of the distribution itself come first: a maker of other software may have a "main" of the release, too.
  source=$(backports_of "$release" "$apt/sources.list" "$apt/sources.list.d/debian.sources" \
    "$apt"/sources.list.d/*.sources "$apt"/sources.list.d/*.list)
  case "$source" in
    '') return 1 ;;
    deb\ * | deb\	*) printf '%s\n' "$source" >"$apt/sources.list.d/backports.list" ;;
    *) printf '%s\n' "$source" >"$apt/sources.list.d/backports.sources" ;;
  esac
}
