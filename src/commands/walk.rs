//! One person's way through one command: looks up, asks, does; steps back.

use super::{Command, Form, Known, Next, Scope};
use crate::{
    operations::{Operations, Refusal, Reply},
    texts::Text,
};

/// A command that somebody is in the middle of.
pub struct Session {
    /// The command.
    pub command: &'static Command,
    /// Who, where.
    pub scope: Scope,
    /// What is asked now.
    pub form: Form,
    answers: Vec<(&'static str, String)>,
    /// How many answers there were before each form.
    steps: Vec<usize>,
    looked: Vec<Reply>,
}

/// What comes of a step.
#[derive(Debug)]
pub enum Turn {
    /// [`Session::form`] is to be filled in.
    Ask,
    /// It is done.
    Done(Box<Reply>),
    /// It was not done.
    Refused(Refusal),
    /// The person does not want it.
    Stopped,
}

/// Look-ups and forms of one command; more would be a loop in its description.
const STEPS_MAX: usize = 16;

impl Session {
    /// At the beginning.
    pub fn new(command: &'static Command, scope: Scope) -> Self {
        Self {
            command,
            scope,
            form: Form::default(),
            answers: Vec::new(),
            steps: Vec::new(),
            looked: Vec::new(),
        }
    }

    /// Goes on until something has to be asked, or to the end.
    pub async fn go_on(&mut self, on: &Operations) -> Turn {
        let actor = self.scope.actor(self.command);
        for _ in 0..STEPS_MAX {
            let known = Known {
                scope: &self.scope,
                answers: &self.answers,
                looked: &self.looked,
            };
            match (self.command.next)(&known) {
                Next::Look(request) => match on.perform(actor.clone(), request).await {
                    Ok(reply) => self.looked.push(reply),
                    Err(refusal) => return Turn::Refused(refusal),
                },
                Next::Ask(form) => {
                    self.form = form;
                    self.steps.push(self.answers.len());
                    return Turn::Ask;
                }
                Next::Stop => return Turn::Stopped,
                Next::Do(request) => {
                    return match on.perform(actor.clone(), request).await {
                        Ok(reply) => Turn::Done(Box::new(reply)),
                        Err(refusal) => Turn::Refused(refusal),
                    };
                }
            }
        }
        Turn::Refused(Refusal::Changed)
    }

    /// Takes what was filled in; then [`go_on`](Self::go_on).
    ///
    /// # Errors
    ///
    /// What does not fit; then nothing was taken.
    pub fn fill<'v>(&mut self, value: impl Fn(&str) -> Option<&'v str>) -> Result<(), Text> {
        let answers = self.form.check(&self.scope.gateway, value)?;
        self.answers.extend(answers);
        Ok(())
    }

    /// Whether there is a form before this one.
    pub fn can_go_back(&self) -> bool {
        self.steps.len() > 1
    }

    /// Back to the form before this one; then [`go_on`](Self::go_on).
    pub fn go_back(&mut self) {
        self.steps.pop();
        if let Some(answers) = self.steps.pop() {
            self.answers.truncate(answers);
        }
    }
}
