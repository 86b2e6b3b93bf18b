import ArgumentParser
import Foundation
import VidCheckpoint

/// The child in which the HDF5 library reads a file (`HDF5Import`); not for users.
struct ReadHDF5Command: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: HDF5Import.childCommand, abstract: "Read a Keras HDF5 file within bounds; used by vidclass itself.",
        shouldDisplay: false)

    @Argument var file: String

    @Option var seconds = HDF5Import.seconds

    func run() throws { try HDF5Import.serve(file, seconds: seconds, output: STDOUT_FILENO) }

    /// This program as the child.
    static var child: HDF5Import { .inChild(executable: Bundle.main.executablePath ?? CommandLine.arguments[0]) }
}
