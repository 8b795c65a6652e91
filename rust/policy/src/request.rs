//! A situation as a Cedar request: `principal` is who sends, `resource` is what is sent and where
//! to, `context` is what the sender stated, and the action is the action.

use crate::fact::{Action, Fact};
use crate::situation::{Field, Home, Situation};
use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
    Schema,
};
use std::collections::{HashMap, HashSet};

/// The Cedar type of the principal.
pub(crate) const SENDER: &str = "Sender";
/// The Cedar type of the resource.
pub(crate) const MESSAGE: &str = "Message";

/// Every Cedar value a request can hold, made once per bundle.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    sender: EntityUid,
    message: EntityUid,
    actions: Vec<EntityUid>,
    action_groups: Entities,
    values: Vec<Vec<RestrictedExpression>>,
}

impl Vocabulary {
    /// # Errors
    ///
    /// A sentence, when the schema's actions cannot be read.
    pub(crate) fn new(schema: &Schema) -> Result<Self, String> {
        Ok(Self {
            sender: entity_uid(SENDER, "sender")?,
            message: entity_uid(MESSAGE, "message")?,
            actions: Action::NAMES
                .iter()
                .map(|name| entity_uid(Action::TYPE, name))
                .collect::<Result<_, _>>()?,
            action_groups: schema.action_entities().map_err(|error| error.to_string())?,
            values: Situation::FIELDS.iter().map(expressions).collect::<Result<_, _>>()?,
        })
    }

    /// The request of a situation and the entities it speaks of, made from the situation alone.
    ///
    /// # Errors
    ///
    /// A sentence, when Cedar will not take one of the values.
    pub(crate) fn request(&self, situation: &Situation) -> Result<(Request, Entities), String> {
        let mut principal = HashMap::new();
        let mut resource = HashMap::new();
        let mut context = Vec::new();
        for ((field, values), index) in
            Situation::FIELDS.iter().zip(&self.values).zip(situation.indices())
        {
            let value = values
                .get(usize::from(index))
                .cloned()
                .ok_or_else(|| format!("`{}` has no value {index}", field.name))?;
            match field.home {
                Home::Action => {}
                Home::Context => context.push((field.name.to_owned(), value)),
                Home::Principal => drop(principal.insert(field.name.to_owned(), value)),
                Home::Resource => drop(resource.insert(field.name.to_owned(), value)),
            }
        }
        let action = self
            .actions
            .get(usize::from(situation.action.index()))
            .ok_or_else(|| format!("no action `{}`", situation.action.name()))?;
        let sender = Entity::new(self.sender.clone(), principal, HashSet::new())
            .map_err(|error| error.to_string())?;
        let message = Entity::new(self.message.clone(), resource, HashSet::new())
            .map_err(|error| error.to_string())?;
        let entities = self
            .action_groups
            .clone()
            .add_entities([sender, message], None)
            .map_err(|error| error.to_string())?;
        let context = Context::from_pairs(context).map_err(|error| error.to_string())?;
        let request =
            Request::new(self.sender.clone(), action.clone(), self.message.clone(), context, None)
                .map_err(|error| error.to_string())?;
        Ok((request, entities))
    }
}

fn entity_uid(type_name: &str, id: &str) -> Result<EntityUid, String> {
    let type_name: EntityTypeName =
        type_name.parse().map_err(|_| format!("`{type_name}` is no Cedar type name"))?;
    Ok(EntityUid::from_type_name_and_id(type_name, EntityId::new(id)))
}

fn expressions(field: &Field) -> Result<Vec<RestrictedExpression>, String> {
    if field.type_name == bool::TYPE {
        return Ok(bool::ALL.iter().copied().map(RestrictedExpression::new_bool).collect());
    }
    field
        .values
        .iter()
        .map(|name| entity_uid(field.type_name, name).map(RestrictedExpression::new_entity_uid))
        .collect()
}
