import VidSystem

/// How this process was started: by itself, or as one of several ranks.
///
/// Launchers tell their processes by environment variables: Open MPI's mpirun and prterun, MPICH's Hydra and Slurm's PMI-2, and
/// Slurm's srun for whatever it starts.
package struct ClusterStart: Sendable, Equatable {
    package let rank: Int
    package let size: Int
    /// The program that started it, for messages.
    package let launcher: String

    /// The variables of rank and size, by launcher. A batch script of Slurm's has only those of its job, not of a step.
    private static let variables: [(launcher: String, rank: String, size: String)] = [
        ("mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
        ("mpirun", "PMI_RANK", "PMI_SIZE"),
        ("srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
    ]

    /// Returns nil where the environment has no launcher's variables.
    package init?(_ environment: [String: String]) {
        for (launcher, rank, size) in ClusterStart.variables {
            guard let number = environment[rank].flatMap({ Int($0) }), let count = environment[size].flatMap({ Int($0) }),
                count >= 1, (0..<count).contains(number)
            else { continue }
            self.rank = number
            self.size = count
            self.launcher = launcher
            return
        }
        return nil
    }
}
