import VidSystem

/// Where the program looks for the plug-in that connects it to MPI.
package enum PluginPlace {
    /// The environment variable that names the plug-in.
    package static let variable = "VIDCLASS_MPI_PLUGIN"

    /// How to get the plug-in, as a sentence.
    package static let advice = "Build and install it with Scripts/install.sh --mpi, or name it in \(variable)."

    /// The path of the plug-in; nil if there is none.
    ///
    /// A plug-in that the environment names is returned whether it exists or not: loading it tells what is wrong with it.
    ///
    /// - executable: the program's real path, without symbolic links.
    /// - exists: whether there is a file at a path.
    package static func find(environment: [String: String], executable: String, exists: (String) -> Bool) -> String? {
        if let named = environment[variable], !named.isEmpty { return named }
        return besides(executable).first(where: exists)
    }

    /// The places that belong to a program, the first one first: where it is installed, and where it is built.
    private static func besides(_ executable: String) -> [String] {
        let folder = PathText.parent(executable)
        let installed = PathText.join(PathText.parent(folder), "lib/vidclass/libvidclass_mpi.so")
        // From .build/TRIPLE/release to .build/mpi.
        let built = PathText.join(PathText.parent(PathText.parent(folder)), "mpi/libvidclass_mpi.so")
        return [installed, built]
    }
}
