internal import VidSystem

/// The library itself: its version, and the program that it needs for videos.
///
/// Loading the library changes nothing in the process: it sets no environment variable, no signal handler and no limit, and starts no
/// thread. Threads start with a ``Predictor``, a ``Training`` or an evaluation and end with it.
public enum VidClass {
    /// The version, by [semantic versioning](https://semver.org) of this module and of `vidclass.h`.
    public static var version: String { Version.number }

    /// The program `vidclass` that decodes videos, pictures, sounds and HDF5 files for this library; nil to search for it.
    ///
    /// Such files are parsed by other people's libraries, so that happens only in child processes without rights, and the program is what
    /// they run. It is searched beside this library (and in `../bin` from there), beside the host's program, and on `PATH`. It must have
    /// the same ``version``. It is not needed for frames in memory and for `.bin` and `.npy` clips.
    public static var program: String? {
        get { ReaderProgram.named }
        set { ReaderProgram.named = newValue }
    }
}
