// What the kernels over linear chains share: one workgroup per sequence, of which a thread takes every 32nd tag.
// Of what their signatures name, mask and path are [sequences, length], transitions [tags, tags], transitionsGradient
// [sequences, tags, tags], logPartition [sequences], and emissions, emissionsGradient, filtered, incoming and marginals
// [sequences, length, tags].

const THREADS = 32u;
const MOST_TAGS = 256u;
